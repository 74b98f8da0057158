import ArgumentParser
import Daemon
import Files
import Foundation

/// `auscult models`: what models there are.
struct ModelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models",
        abstract: "List, register, download and forget models.",
        discussion: """
              auscult models
              auscult models add ~/whisper-tiny --name mine
              auscult models add tiny.pt --vocab multilingual.tiktoken
              auscult models pull base.en

            A name then serves wherever --model is taken. The registry and what was downloaded lie in \
            $XDG_DATA_HOME/auscult/models (~/.local/share/auscult/models).
            """,
        subcommands: [List.self, Add.self, Remove.self, Pull.self], defaultSubcommand: List.self)

    static func service(_ verbosity: Verbosity) -> ModelService {
        let environment = Console.current.environment
        let registry = ModelRegistry(in: DataFolder(environment: environment))
        return ModelService(registry: registry, environment: environment, logger: verbosity.logger)
    }
}

extension ModelsCommand {
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the embedded, the registered and the released models.")

        @OptionGroup var format: FormatOption
        @OptionGroup var verbosity: Verbosity

        func run() throws {
            let listings = try ModelsCommand.service(verbosity).list()
            switch format.format {
            case .text: try Console.current.print(Self.table(listings))
            case .json: try Console.current.print(JSON.array(listings.map(\.json)).text)
            }
        }

        private static func table(_ listings: [ModelListing]) -> String {
            var table = TextTable("NAME", "STATE", "FORMAT", "SIZE", "WHERE")
            for listing in listings {
                let size = listing.dimensions.map {
                    "\($0.nAudioLayer)+\($0.nTextLayer) × \($0.nAudioState), \($0.nVocab) tokens"
                }
                table.append(
                    listing.name, listing.state.rawValue, listing.format ?? "", size ?? "",
                    listing.problem ?? listing.path ?? "")
            }
            return table.text
        }
    }

    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Register a checkpoint under a name.",
            discussion: """
                The checkpoint stays where it is; it is opened to see that it is one. A .pt or a ggml .bin brings \
                no tokenizer file: --vocab names the .tiktoken it was trained with (a file beside it is found too).
                """)

        @Argument(help: "A Hugging Face folder, an openai .pt or a ggml .bin.", completion: .file()) var path: String
        @Option(help: "The name to register it under; otherwise that of the file or folder.") var name: String?
        @Option(
            help: ArgumentHelp("The vocabulary: a .tiktoken or a tokenizer file.", valueName: "file"),
            completion: .file())
        var vocab: String?
        @OptionGroup var format: FormatOption
        @OptionGroup var verbosity: Verbosity

        func run() throws {
            let model = try ModelsCommand.service(verbosity).add(path, name: name, vocabulary: vocab)
            try announce(model, "registered \(model.name): \(model.path)", format)
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Forget a model; files that were downloaded go with it, others stay.")

        @Argument(help: "The registered name.") var name: String
        @OptionGroup var format: FormatOption
        @OptionGroup var verbosity: Verbosity

        func run() throws {
            let model = try ModelsCommand.service(verbosity).remove(name)
            let files = model.downloaded ? "its files are deleted" : "\(model.path) stays"
            try announce(model, "removed \(model.name); \(files)", format)
        }
    }

    struct Pull: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Download a released model and register it.",
            discussion: """
                Loads an openai/whisper checkpoint and its vocabulary over HTTPS and checks their SHA-256. A download \
                that broke off is resumed by the same command. $AUSCULT_MIRROR names another server, which has the \
                files as SHA256/NAME.

                Released: \(ReleasedModel.all.map(\.name).joined(separator: ", ")).
                """)

        @Argument(
            help: "The released model's name.", completion: .list(ReleasedModel.all.flatMap { [$0.name] + $0.aliases }))
        var name: String
        @OptionGroup var format: FormatOption
        @OptionGroup var verbosity: Verbosity

        func run() async throws {
            let line = verbosity.progress
            let logger = verbosity.logger
            let model = try await ModelsCommand.service(verbosity).pull(name) { file, progress in
                switch progress {
                case .receiving(let done, let total):
                    line.show(file, done: done, total: total, unit: byteCount, matters: done == total)
                case .verifying: line.show("\(file)  checking its SHA-256", matters: true)
                case .retrying(let reason):
                    line.clear()
                    logger.warning("\(file): \(reason); trying again")
                }
            }
            line.clear()
            try announce(model, "\(model.name) is ready: auscult transcribe FILE --model \(model.name)", format)
        }
    }
}

private func announce(_ model: RegisteredModel, _ sentence: String, _ format: FormatOption) throws {
    switch format.format {
    case .text: try Console.current.print(sentence)
    case .json: try Console.current.print(model.json.text)
    }
}

extension RegisteredModel {
    var json: JSON {
        [
            "name": .string(name), "path": .string(path), "vocabulary": JSON(vocabulary), "sha256": JSON(sha256),
            "downloaded": .bool(downloaded),
        ]
    }
}

extension ModelListing {
    var json: JSON {
        [
            "name": .string(name), "state": .string(state.rawValue), "format": JSON(format), "path": JSON(path),
            "vocabulary": JSON(vocabulary), "problem": JSON(problem), "dimensions": dimensions?.json ?? .null,
        ]
    }
}
