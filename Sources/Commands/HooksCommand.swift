import ArgumentParser
import Whisper

/// `auscult hooks`: the places in a model where one can listen.
struct HooksCommand: ParsableCommand {
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

    func validate() throws {
        guard tokens >= 1 else { throw ValidationError("--tokens must be at least 1, not \(tokens).") }
    }

    func run() throws {
        let dimensions = try model.open(verbosity).dimensions
        guard tokens <= dimensions.nTextCtx else {
            throw ValidationError(
                "--tokens can be at most the model's context of \(dimensions.nTextCtx), not \(tokens).")
        }
        let points = try HookPoint.matching(pattern ?? "*", in: dimensions)
        switch format.format {
        case .text: try Console.current.print(table(points, dimensions))
        case .json: try Console.current.print(JSON.array(points.map { json($0, dimensions) }).text)
        }
    }

    private func table(_ points: [HookPoint], _ dimensions: ModelDimensions) -> String {
        var table = TextTable("HOOK", "SHAPE", "AXES")
        for point in points {
            let shape = point.shape(in: dimensions, tokens: tokens).map(String.init).joined(separator: " × ")
            table.append(point.name, shape, point.axes.joined(separator: " × "))
        }
        return table.text
    }

    private func json(_ point: HookPoint, _ dimensions: ModelDimensions) -> JSON {
        [
            "hook": .string(point.name), "stack": .string(point.stack.rawValue),
            "layer": point.layer.map(JSON.integer) ?? .null, "axes": JSON(point.axes),
            "shape": JSON(point.shape(in: dimensions, tokens: tokens)),
            "positions_per_second": JSON(point.position.perSecond),
        ]
    }
}
