import ArgumentParser
import Daemon
import Foundation

/// `auscult samples`: the embedded clips.
struct SamplesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "samples",
        abstract: "List or export the embedded demonstration clips.",
        discussion: """
            Short clips in English and French and some that hold no speech, with what is said in them and when each \
            sound begins and ends. Anywhere a FILE is expected, 'demo:NAME' is a clip, and 'demo:' all of them.

              auscult samples
              auscult samples export clips/
            """,
        subcommands: [List.self, Export.self], defaultSubcommand: List.self)
}

extension SamplesCommand {
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the clips; as JSON with the times of their words and sounds.")

        @OptionGroup var format: FormatOption

        func run() throws {
            let clips = try DemoClips.all()
            switch format.format {
            case .text:
                var table = TextTable("NAME", "SECONDS", "KIND", "LANGUAGE", "VOICE", "TEXT")
                for clip in clips {
                    let seconds = String(format: "%.2f", clip.duration)
                    table.append(
                        clip.name, seconds, clip.kind, clip.language ?? "-", clip.voice ?? "-", clip.text ?? "")
                }
                try Console.current.print(table.text)
            case .json: try Console.current.print(JSON.array(clips.map(\.json)).text)
            }
        }
    }

    struct Export: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write the clips and their manifest (manifest.jsonl) into a folder.")

        @Argument(help: "The folder; it is made where it is not there yet.", completion: .directory) var folder: String
        @OptionGroup var format: FormatOption

        func run() throws {
            let paths = try DemoClips.export(to: folder)
            switch format.format {
            case .text: try Console.current.print("\(paths.count) files in \(folder)")
            case .json: try Console.current.print(JSON(paths).text)
            }
        }
    }
}

extension DemoClip {
    var json: JSON {
        [
            "name": .string(name), "file": .string(file), "kind": .string(kind), "language": JSON(language),
            "text": JSON(text), "voice": JSON(voice), "engine": JSON(engine), "duration": .number(duration),
            "phonemes": .array((phonemes ?? []).map { .span($0.start, $0.end, "label", $0.label) }),
            "words": .array((words ?? []).map { .span($0.start, $0.end, "word", $0.word) }),
        ]
    }
}

extension JSON {
    /// Something that is heard from `start` to `end`, in seconds.
    fileprivate static func span(_ start: Double, _ end: Double, _ name: String, _ value: String) -> JSON {
        ["start": .number(start), "end": .number(end), (name): .string(value)]
    }
}
