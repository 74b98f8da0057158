import ArgumentParser
import Client
import Messages
import Results
import StrictJSON
import TerminalText

/// `auscult hooks`: the places in a model where one can listen.
struct HooksCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hooks",
        abstract: "List a model's hook points with their axes and shapes.",
        discussion: """
              auscult hooks
              auscult hooks 'encoder.blocks.*.mlp.1'
              auscult hooks --model tiny 'decoder.**.pattern' --format json

            A PATTERN is a name, a glob or an alias of TransformerLens or Hugging Face. '*' stands for one part of a \
            name, '**' for any number of them. Shapes are those of one window; where the decoder's depend on the \
            number of tokens, they are given for --tokens.
            """)

    @Argument(help: "A name, glob or alias; without one, all.") var pattern: String?
    @Option(help: "Tokens that the decoder reads.") var tokens = 1
    @OptionGroup var model: ModelOptions
    @OptionGroup var format: FormatOption
    @OptionGroup var verbosity: Verbosity
    @OptionGroup(title: "Daemon") var connection: ConnectionOptions

    func validate() throws {
        guard tokens >= 1 else { throw ValidationError("--tokens must be at least 1, not \(tokens).") }
    }

    func run() async throws {
        let points = try await connection.use(verbosity.logger) { daemon in
            let model = model.reference
            let request = V1.HooksRequest(model: model, pattern: pattern ?? "", tokens: UInt32(clamping: tokens))
            return try await daemon.call(V1.ModelRPC.hooks, request).hooks
        }
        switch format.format {
        case .text: try Console.current.print(table(points))
        case .json: try Console.current.print(JSON.array(points.map(\.json)).text)
        }
    }

    private func table(_ points: [V1.HookPoint]) -> String {
        var table = TextTable("HOOK", "SHAPE", "AXES")
        for point in points {
            let shape = point.shape.map { String($0) }.joined(separator: " × ")
            table.append(point.name, shape, point.axes.joined(separator: " × "))
        }
        return table.text
    }
}

extension V1.HookPoint {
    fileprivate var json: JSON {
        [
            "hook": .string(name), "stack": .string(stack), "layer": layer.map { JSON(UInt64($0)) } ?? .null,
            "axes": JSON(axes), "shape": JSON(shape), "positions_per_second": JSON(positionsPerSecond),
        ]
    }
}
