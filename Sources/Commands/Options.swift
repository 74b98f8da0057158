import ArgumentParser
import Files
import Foundation
import Logging
import Messages

/// How much a command says beside its result.
struct Verbosity: ParsableArguments {
    @Flag(name: [.short, .long], help: "Say nothing but errors; show no progress.")
    var quiet = false

    @Flag(name: .long, help: "Say what is being done.")
    var verbose = false

    func validate() throws {
        if quiet && verbose { throw ValidationError("--quiet and --verbose exclude each other.") }
    }

    var logger: Logger { Self.logger(quiet ? .error : verbose ? .debug : .notice) }

    /// For commands without these flags.
    static var notices: Logger { logger(.notice) }

    private static func logger(_ level: Logger.Level) -> Logger {
        let console = Console.current
        return Logger(label: "auscult") { _ in MessageLog(logLevel: level, console: console) }
    }

    var progress: ProgressLine { ProgressLine(Console.current, quiet: quiet) }
}

/// Which model a command uses.
struct ModelOptions: ParsableArguments {
    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            "A registered name, a Hugging Face folder, an openai .pt or a ggml .bin; without it, the embedded model.",
            valueName: "model"),
        completion: .file())
    var model: String?

    @Option(
        help: ArgumentHelp(
            "The vocabulary (.tiktoken or a tokenizer file) of a checkpoint that brings none.", valueName: "file"),
        completion: .file())
    var vocab: String?

    @Option(
        help: ArgumentHelp(
            """
            In what numbers to compute: exact (float32); int8, which takes a quarter of the memory, decodes faster, and \
            encodes faster on processors with VNNI; bf16, where the processor has it. 'auscult precision' measures what \
            they cost.
            """, valueName: "precision"))
    var precision = PrecisionOption.exact

    /// The model as the daemon is told it: what is no name of a model there is a path, which begins in this program's folder.
    var reference: V1.ModelRef {
        V1.ModelRef(name: model ?? "", vocabulary: vocab ?? "", precision: precision.message)
    }

    /// What results call the model: as it was given here, where the daemon has its path.
    func name(of reported: String) -> String {
        guard let model, absolutePath(model) == reported else { return reported }
        return model
    }
}

/// In what numbers a model computes.
enum PrecisionOption: String, ExpressibleByArgument, CaseIterable {
    case exact, int8, bf16

    var message: V1.ModelRef.Precision {
        switch self {
        case .exact: .exact
        case .int8: .int8
        case .bf16: .bf16
        }
    }
}

extension V1.ModelRef.Precision {
    /// As `--precision` takes it.
    var name: String {
        PrecisionOption.allCases.first { $0.message == self }?.rawValue ?? "precision \(rawValue)"
    }
}

/// The form of a result that is not audio.
enum ResultFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json
}

struct FormatOption: ParsableArguments {
    @Option(name: [.short, .long], help: "The form of the result.")
    var format = ResultFormat.text
}
