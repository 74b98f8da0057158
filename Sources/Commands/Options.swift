import ArgumentParser
import Daemon
import Files
import Logging

/// How much a command says beside its result.
struct Verbosity: ParsableArguments {
    @Flag(name: [.short, .long], help: "Say nothing but errors; show no progress.")
    var quiet = false

    @Flag(name: .long, help: "Say what is being done.")
    var verbose = false

    func validate() throws {
        if quiet && verbose { throw ValidationError("--quiet and --verbose exclude each other.") }
    }

    var logger: Logger {
        let console = Console.current
        let level: Logger.Level = quiet ? .error : verbose ? .debug : .notice
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

    func open(_ verbosity: Verbosity) throws -> LoadedModel {
        let registry = ModelRegistry(in: DataFolder(environment: Console.current.environment))
        return try ModelService(registry: registry, logger: verbosity.logger).open(model, vocabulary: vocab)
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
