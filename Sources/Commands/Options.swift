import ArgumentParser
import Client
import Files
import Foundation
import Logging
import Messages
import Results

/// How much a command says beside its result.
struct Verbosity: ParsableArguments {
    @Flag(name: [.short, .long], help: "Print errors only, and no progress.")
    var quiet = false

    @Flag(name: .long, help: "Print what is being done.")
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
            """
            A registered name, a folder of Hugging Face or CTranslate2, an openai .pt, a ggml .bin, or org/name of a model \
            that lies in the cache of Hugging Face's hub; without it, the embedded model.
            """,
            valueName: "model"),
        completion: .file())
    var model: String?

    @Option(
        help: ArgumentHelp(
            "The vocabulary (.tiktoken or a tokenizer file) of a checkpoint that has none.", valueName: "file"),
        completion: .file())
    var vocab: String?

    @Option(
        help: ArgumentHelp(
            """
            The numbers to compute with: exact (float32); int8, which takes a quarter of the memory, decodes faster, \
            and encodes faster on processors with VNNI; bf16, where the processor has it. 'auscult precision' measures \
            the errors.
            """, valueName: "precision"))
    var precision = V1.ModelRef.Precision.exact

    /// The model as the daemon is told it: what is no name of a model there is a path, which begins in this program's folder.
    var reference: V1.ModelRef {
        V1.ModelRef(name: model ?? "", vocabulary: vocab ?? "", precision: precision)
    }

    /// What results call the model: as it was given here, where the daemon has its path.
    func name(of reported: String) -> String {
        guard let model, absolutePath(model) == reported else { return reported }
        return model
    }
}

extension ResultFormat: ExpressibleByArgument {}

struct FormatOption: ParsableArguments {
    @Option(name: [.short, .long], help: "The output format.")
    var format = ResultFormat.text
}
