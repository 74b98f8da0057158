import ArgumentParser
import Client
import Files
import Messages
import PluginTemplates
import Results
import StrictJSON
import TerminalText

/// `auscult plugins`: which there are, what they want, and whether one is sound.
struct PluginsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugins",
        abstract: "List, describe, create and validate plugins.",
        discussion: """
              auscult plugins
              auscult plugins show attention-stats
              auscult plugins new pitch-range --lang c
              auscult plugins validate ./pitch-range -p order=3
            """,
        subcommands: [List.self, Show.self, New.self, Validate.self], defaultSubcommand: List.self)
}

extension PluginsCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the plugins.")

        @OptionGroup var format: FormatOption
        @OptionGroup(title: "Daemon") var connection: ConnectionOptions

        func run() async throws {
            let plugins = try await connection.use(Verbosity.notices) {
                try await $0.call(V1.PluginRPC.list, .init(folders: PluginSearch.folders)).plugins
            }
            guard format.format == .text else {
                return try Console.current.print(JSON.array(plugins.map(\.json)).text)
            }
            var table = TextTable("ID", "VERSION", "NAME")
            for plugin in plugins {
                let problem = plugin.problem.isEmpty ? "" : " (cannot be used: \(plugin.problem))"
                table.append(
                    PrintedText.safe(plugin.id), PrintedText.safe(plugin.version),
                    PrintedText.safe(plugin.name + problem))
            }
            try Console.current.print(table.text)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a plugin's needs, parameters and outputs.")

        @Argument(help: "The plugin's id, or its last part where that is unique; or a bundle's folder.") var id: String
        @OptionGroup var format: FormatOption
        @OptionGroup(title: "Daemon") var connection: ConnectionOptions

        func run() async throws {
            let description = try await connection.use(Verbosity.notices) {
                try await $0.call(V1.PluginRPC.describe, V1.DescribePluginRequest(plugin: id))
            }
            switch format.format {
            case .text: try Console.current.print(description.text)
            case .json: try Console.current.print(description.json.text)
            }
        }
    }

    struct New: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Create a folder with a small working plugin, which make builds.")

        @Argument(help: "Its name, such as pitch-range, or a full id, such as org.example.pitch-range.") var name:
            String
        @Option(help: "The language: swift or c.") var lang = PluginTemplate.Language.swift
        @Option(
            name: [.short, .long],
            help: ArgumentHelp("The folder to create; by default the plugin's name.", valueName: "folder"),
            completion: .directory)
        var out: String?

        func run() throws {
            let folder = out ?? name.split(separator: ".").last.map { $0.lowercased() } ?? name
            do {
                let id = try PluginTemplate.write(name: name, language: lang, to: folder)
                let shown = Self.word(folder)
                // A path has a slash, by which it is told from an id.
                let bundle = Self.word("\(folder)/build/\(id)")
                try Console.current.print(
                    """
                    \(id) is in \(folder). To build it, check it, run it, and install it:
                      make -C \(shown)
                      auscult plugins validate \(bundle)
                      auscult run \(bundle) demo:
                      make -C \(shown) install
                    """)
            } catch let error as PluginTemplate.Failure {
                throw CommandError(.usage, error.description)
            }
        }

        /// `text` as one word of a shell.
        private static func word(_ text: String) -> String {
            let isPlain = text.unicodeScalars.allSatisfy {
                $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0))
                    || "/._-+,:@%".unicodeScalars.contains($0)
            }
            return isPlain && !text.isEmpty ? text : "'" + text.replacing("'", with: "'\\''") + "'"
        }
    }

    struct Validate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check a bundle, each check in a process of its own; the exit status is 65 where one fails.")

        @Argument(help: "The bundle's folder.", completion: .directory) var path: String
        @OptionGroup var arguments: PluginArgumentOptions
        @OptionGroup var permissions: PluginPermissionOptions
        @OptionGroup var model: ModelOptions
        @OptionGroup var format: FormatOption
        @OptionGroup(title: "Daemon") var connection: ConnectionOptions

        func run() async throws {
            let isText = format.format == .text
            var checks: [V1.ValidationCheck] = []
            var end: V1.ValidationEnd?
            try await connection.use(Verbosity.notices) { daemon in
                let request = V1.ValidatePluginRequest(
                    path: path, model: model.reference,
                    arguments: try arguments.messages, permissions: try permissions.message)
                try await daemon.events(V1.PluginRPC.validate, request) { message in
                    switch message.event {
                    case .check(let check)?:
                        checks.append(check)
                        if isText { try Console.current.print(check.line) }
                    case .end(let last)?: end = last
                    case .started?, nil: break
                    }
                }
            }
            guard let end else { throw CommandError(.unavailable, "the validation of \(path) did not end") }
            if isText {
                try Console.current.print("\(end.passed) passed, \(end.broken) broken, \(end.skipped) skipped")
            } else {
                try Console.current.print(JSON.array(checks.map(\.json)).text)
            }
            if end.broken > 0 { throw Failure(status: .badData) }
        }
    }
}

extension V1.PluginListing {
    fileprivate var json: JSON {
        [
            "id": .string(id), "name": .string(name), "version": .string(version), "vendor": .string(vendor),
            "licence": .string(licence), "path": .string(path), "problem": JSON(present: problem),
        ]
    }
}

extension V1.ValidationCheck {
    fileprivate var line: String {
        let rest = detail.isEmpty ? "" : ": \(detail)"
        return PrintedText.safe("\(PrintedText.pad(outcome.name, to: 8))\(name)\(rest)")
    }

    fileprivate var json: JSON {
        [
            "name": .string(name), "outcome": .string(outcome.name), "detail": JSON(present: detail),
            "seconds": .number(seconds),
        ]
    }
}

extension V1.PluginDescription {
    fileprivate var json: JSON {
        let needs = needs ?? .init()
        return [
            "plugin": (listing ?? .init()).json, "description": .string(description),
            "needs": [
                "hooks": JSON(needs.hooks), "gradients": .bool(needs.gradients),
                "objective": JSON(present: needs.objective), "all_frames": .bool(needs.allFrames),
                "audio": .bool(needs.audio), "decoder": .bool(needs.decoder), "labels": .bool(needs.labels),
                "one_run": .bool(needs.oneRun), "can_stream": .bool(needs.canStream),
            ],
            "parameters": .array(
                parameters.map {
                    [
                        "id": .string($0.id), "kind": .string($0.kind), "default": .string($0.default),
                        "minimum": JSON($0.minimum), "maximum": JSON($0.maximum), "choices": JSON($0.choices),
                        "description": .string($0.description),
                    ]
                }),
            "outputs": .array(outputs.map(ResultsJSON.json)),
            "permissions": (permissions ?? .init()).json,
        ]
    }

    fileprivate var text: String {
        let listing = listing ?? .init()
        var lines = ["\(listing.name) \(listing.version)", listing.id, description, ""]
        if let needs {
            let wants = [
                (needs.gradients, "gradients"), (needs.allFrames, "padding"), (needs.audio, "audio"),
                (needs.decoder, "the decoder"), (needs.labels, "labels"),
                (needs.oneRun, "all recordings in one run"),
            ]
            let all = needs.hooks + wants.filter(\.0).map(\.1)
            lines.append("Needs: " + (all.isEmpty ? "nothing to hear" : all.joined(separator: ", ")))
            if needs.canStream { lines.append("Hears sound that is still being made: auscult listen --plugin") }
        }
        if let permissions = permissions?.text { lines.append(permissions) }
        if !parameters.isEmpty {
            lines += ["", "Parameters (-p id=value):"]
            for parameter in parameters {
                let choices = parameter.choices.isEmpty ? "" : ": " + parameter.choices.joined(separator: "|")
                let value = parameter.default.isEmpty ? "" : ", \(parameter.default)"
                lines.append("  \(parameter.id) (\(parameter.kind)\(choices)\(value))  \(parameter.description)")
            }
        }
        if !outputs.isEmpty {
            lines += ["", "Results:"]
            for output in outputs {
                lines.append("  \(output.id) (\(output.kind.name))  \(output.title)")
            }
        }
        return lines.map { PrintedText.safe($0, keepingLines: true) }.joined(separator: "\n")
    }
}

extension V1.DeclaredPermissions {
    fileprivate var json: JSON {
        [
            "read": JSON(read), "write_files": JSON(writeFiles), "write_folders": JSON(writeFolders),
            "network": .bool(network),
        ]
    }

    /// nil where it asks for nothing.
    fileprivate var text: String? {
        let written = (writeFolders + writeFiles).map { "writes \($0)" }
        let asked = read.map { "--allow read=\($0)" } + (network ? ["--allow network"] : [])
        let all = written + (asked.isEmpty ? [] : ["has to be allowed " + asked.joined(separator: " ")])
        return all.isEmpty ? nil : "Permissions: " + all.joined(separator: "; ")
    }
}

extension PluginTemplate.Language: ExpressibleByArgument {}
