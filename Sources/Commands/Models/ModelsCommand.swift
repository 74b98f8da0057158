import ArgumentParser
import Client
import Foundation
import Messages
import Results
import StrictJSON
import TerminalText

/// `auscult models`: what models there are.
struct ModelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models",
        abstract: "List, register, download and remove models.",
        discussion: """
              auscult models
              auscult models add ~/whisper-tiny --name mine
              auscult models add .build/released/whisper-tiny.en --name tiny.en
              auscult models add tiny.pt --vocab multilingual.tiktoken
              auscult models pull base.en

            A registered name can be given wherever there is --model. The register and the downloaded files are in \
            $XDG_DATA_HOME/auscult/models (~/.local/share/auscult/models).
            """,
        subcommands: [List.self, Add.self, Remove.self, Pull.self], defaultSubcommand: List.self)
}

extension ModelsCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the embedded, the registered and the released models.")

        @OptionGroup var format: FormatOption
        @OptionGroup var verbosity: Verbosity
        @OptionGroup(title: "Daemon") var connection: ConnectionOptions

        func run() async throws {
            let listings = try await connection.use(verbosity.logger) {
                try await $0.call(V1.ModelRPC.list, .init()).models
            }
            switch format.format {
            case .text: try Console.current.print(Self.table(listings))
            case .json: try Console.current.print(JSON.array(listings.map(\.json)).text)
            }
        }

        private static func table(_ listings: [V1.ModelListing]) -> String {
            var table = TextTable("NAME", "STATE", "FORMAT", "SIZE", "WHERE")
            for listing in listings {
                let size = listing.dimensions.map {
                    "\($0.nAudioLayer)+\($0.nTextLayer) × \($0.nAudioState), \($0.nVocab) tokens"
                }
                table.append(
                    listing.name, listing.state.name, listing.format, size ?? "",
                    listing.problem.isEmpty ? listing.path : listing.problem)
            }
            return table.text
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Register a checkpoint under a name.",
            discussion: """
                The checkpoint stays where it is; it is opened to check it. A .pt or a ggml .bin has no tokenizer \
                file: --vocab names the .tiktoken that it was trained with (a file beside it is found too).
                """)

        @Argument(
            help: "A folder of Hugging Face or CTranslate2, an openai .pt or a ggml .bin.", completion: .file())
        var path: String
        @Option(help: "The name to register it under; otherwise that of the file or folder.") var name: String?
        @Option(
            help: ArgumentHelp("The vocabulary: a .tiktoken or a tokenizer file.", valueName: "file"),
            completion: .file())
        var vocab: String?
        @OptionGroup var format: FormatOption
        @OptionGroup var verbosity: Verbosity
        @OptionGroup(title: "Daemon") var connection: ConnectionOptions

        func run() async throws {
            let request = V1.AddModelRequest(
                path: path, name: name ?? "", vocabulary: vocab ?? "")
            let model = try await connection.use(verbosity.logger) { try await $0.call(V1.ModelRPC.add, request) }
            for warning in model.warnings { verbosity.logger.warning("\(warning)") }
            try announce(model, "registered \(model.name): \(model.path)", format)
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove a model; downloaded files are deleted, others stay.")

        @Argument(help: "The registered name.") var name: String
        @OptionGroup var format: FormatOption
        @OptionGroup var verbosity: Verbosity
        @OptionGroup(title: "Daemon") var connection: ConnectionOptions

        func run() async throws {
            let model = try await connection.use(verbosity.logger) {
                try await $0.call(V1.ModelRPC.remove, V1.RemoveModelRequest(name: name))
            }
            let files = model.downloaded ? "its files are deleted" : "\(model.path) stays"
            try announce(model, "removed \(model.name); \(files)", format)
        }
    }

    struct Pull: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Download a released model and register it.",
            discussion: """
                Downloads an openai/whisper checkpoint and its vocabulary over HTTPS and checks their SHA-256. The \
                same command resumes an interrupted download. $AUSCULT_MIRROR names another server, which has the \
                files as SHA256/NAME.

                Released: \(ReleasedNames.all.joined(separator: ", ")).
                """)

        @Argument(
            help: "The released model's name.", completion: .list(ReleasedNames.all + ReleasedNames.aliases))
        var name: String
        @OptionGroup var format: FormatOption
        @OptionGroup var verbosity: Verbosity
        @OptionGroup(title: "Daemon") var connection: ConnectionOptions

        func run() async throws {
            let mirror = Console.current.environment["AUSCULT_MIRROR"] ?? ""
            let request = V1.PullModelRequest(name: name, mirror: mirror)
            let line = verbosity.progress
            defer { line.clear() }
            try await connection.use(verbosity.logger) { daemon in
                try await daemon.events(V1.ModelRPC.pull, request) { try tell($0, line) }
            }
        }

        private func tell(_ message: V1.PullModelEvent, _ line: ProgressLine) throws {
            switch message.event {
            case .progress(let progress)?:
                line.show(progress.label, progress, matters: progress.done == progress.total, unit: byteCount)
            case .verifying(let file)?: line.show("\(file)  checking its SHA-256", matters: true)
            case .retrying(let reason)?:
                line.clear()
                verbosity.logger.warning("\(reason); trying again")
            case .done(let model)?:
                line.clear()
                try announce(model, "\(model.name) is ready: auscult transcribe FILE --model \(model.name)", format)
            case .started?, nil: break
            }
        }
    }
}

private func announce(_ model: V1.RegisteredModel, _ sentence: String, _ format: FormatOption) throws {
    switch format.format {
    case .text: try Console.current.print(sentence)
    case .json: try Console.current.print(model.json.text)
    }
}

extension V1.RegisteredModel {
    fileprivate var json: JSON {
        [
            "name": .string(name), "path": .string(path), "vocabulary": JSON(present: vocabulary),
            "sha256": JSON(present: sha256), "downloaded": .bool(downloaded),
        ]
    }
}

extension V1.ModelListing {
    fileprivate var json: JSON {
        [
            "name": .string(name), "state": .string(state.name), "format": JSON(present: format),
            "path": JSON(present: path), "vocabulary": JSON(present: vocabulary), "problem": JSON(present: problem),
            "dimensions": dimensions?.json ?? .null,
        ]
    }
}

extension V1.Dimensions {
    /// Under openai/whisper's names.
    fileprivate var json: JSON {
        func size(_ value: UInt32) -> JSON { .integer(Int(value)) }
        return [
            "n_mels": size(nMels), "n_audio_ctx": size(nAudioCtx), "n_audio_state": size(nAudioState),
            "n_audio_head": size(nAudioHead), "n_audio_layer": size(nAudioLayer), "n_vocab": size(nVocab),
            "n_text_ctx": size(nTextCtx), "n_text_state": size(nTextState), "n_text_head": size(nTextHead),
            "n_text_layer": size(nTextLayer),
        ]
    }
}
