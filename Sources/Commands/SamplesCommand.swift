import ArgumentParser
import Client
import Files
import Foundation
import Logging
import Messages
import Results
import StrictJSON
import TerminalText
import Wire

/// `auscult samples`: the embedded clips.
struct SamplesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "samples",
        abstract: "List or export the embedded demonstration clips.",
        discussion: """
            Short clips in English and French, and some without speech, with their transcripts and the times of words \
            and phonemes. Anywhere a FILE is expected, 'demo:NAME' is a clip, and 'demo:' all of them.

              auscult samples
              auscult samples export clips/
            """,
        subcommands: [List.self, Export.self], defaultSubcommand: List.self)
}

extension SamplesCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the clips; JSON has the times of their words and phonemes.")

        @OptionGroup var format: FormatOption
        @OptionGroup(title: "Daemon") var connection: ConnectionOptions

        func run() async throws {
            let clips = try await connection.use(Verbosity.notices) { try await $0.clips() }
            switch format.format {
            case .text:
                var table = TextTable("NAME", "SECONDS", "KIND", "LANGUAGE", "VOICE", "TEXT")
                for clip in clips {
                    let seconds = String(format: "%.2f", clip.duration)
                    table.append(
                        clip.name, seconds, clip.kind, clip.language.isEmpty ? "-" : clip.language,
                        clip.voice.isEmpty ? "-" : clip.voice, clip.text)
                }
                try Console.current.print(table.text)
            case .json: try Console.current.print(JSON.array(clips.map(\.json)).text)
            }
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write the clips and their manifest (manifest.jsonl) into a folder.")

        @Argument(help: "The folder; it is created where it does not exist.", completion: .directory) var folder: String
        @OptionGroup var format: FormatOption
        @OptionGroup(title: "Daemon") var connection: ConnectionOptions

        func run() async throws {
            try DataFolder.create(folder)
            let paths = try await connection.use(Verbosity.notices) { try await export($0) }
            switch format.format {
            case .text: try Console.current.print("\(paths.count) files in \(folder)")
            case .json: try Console.current.print(JSON(paths).text)
            }
        }

        private func export(_ daemon: DaemonConnection) async throws -> [String] {
            var paths: [String] = []
            for name in (try await daemon.clips().map(\.file) + Self.companions).sorted() {
                do {
                    let file = try await daemon.call(V1.AudioRPC.clip, V1.ClipRequest(file: name))
                    let path = folder + "/" + name
                    try PendingFile.write(file.data, to: path)
                    paths.append(path)
                } catch let error as WireError where error.code == .notFound && Self.companions.contains(name) {
                    // A set need not have them.
                }
            }
            return paths
        }

        /// What lies beside the clips.
        private static let companions = ["manifest.jsonl", "README.md"]
    }
}

extension DaemonConnection {
    fileprivate func clips() async throws -> [V1.DemoClip] { try await call(V1.AudioRPC.clips, .init()).clips }
}

extension V1.DemoClip {
    fileprivate var json: JSON {
        [
            "name": .string(name), "file": .string(file), "kind": .string(kind), "language": JSON(present: language),
            "text": .string(text), "voice": JSON(present: voice), "engine": JSON(present: engine),
            "duration": .number(duration),
            "phonemes": .array(phonemes.map { .span($0, "label") }), "words": .array(words.map { .span($0, "word") }),
        ]
    }
}

extension JSON {
    /// Something that is heard, under this name.
    fileprivate static func span(_ heard: V1.TimedLabel, _ name: String) -> JSON {
        ["start": .number(heard.start), "end": .number(heard.end), (name): .string(heard.label)]
    }
}
