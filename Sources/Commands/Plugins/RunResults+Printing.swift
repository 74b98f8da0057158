import Client
import Messages
import Results

/// How the results of a plugin are shown.
enum PluginFormat: String, CaseIterable {
    case text, json, html
}

extension RunResults {
    static let notAsDeclared = CommandError(.badData, "some results are not as the plugin declares them")

    /// Prints it, and writes its files where a folder is named.
    ///
    /// With a folder, the text form names the files, and the others are printed as well where they were asked for.
    func show(_ format: PluginFormat?, out: String?) throws {
        let console = Console.current
        var failure: (any Error)?
        if let out {
            do {
                var folder = try ResultFolder(out)
                let files = try folder.write(self)
                if format == nil { for file in files { try console.print("\(out)/\(file)") } }
            } catch {
                // What cannot be written can still be seen.
                failure = error
            }
        }
        if let failure, format == nil { throw failure }
        if out == nil || format != nil {
            switch format ?? .text {
            case .text: try ResultsText(TerminalStyle(environment: console.environment)).write(self, console.output)
            case .json:
                try ResultsJSON().write(self, console.output)
                try console.output("\n")
            case .html: try ResultsPage.write(self, console.output)
            }
        }
        if let failure { throw failure }
        if typed().contains(where: { if case .failure = $0 { true } else { false } }) {
            throw Self.notAsDeclared
        }
    }
}
