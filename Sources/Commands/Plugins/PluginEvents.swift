import Files
import Foundation
import Messages

extension V1.PluginEvent: StreamEvent {
    var subscription: String? { if case .started(let started)? = event { started.subscriptionId } else { nil } }
}

extension V1.ValidatePluginEvent: StreamEvent {
    var subscription: String? { if case .started(let started)? = event { started.subscriptionId } else { nil } }
}

/// How the results of a plugin are shown.
enum PluginFormat: String, CaseIterable, Sendable {
    case text, json, html
}

/// Gathers what a run says, and tells the person who waits.
struct RunCollector {
    private(set) var run = RunResults()
    private var assembly = ResultAssembly()
    private let verbosity: Verbosity
    private let line: ProgressLine
    private let label: String

    init(_ verbosity: Verbosity, label: String) {
        self.verbosity = verbosity
        self.label = label
        line = verbosity.progress
    }

    /// - Throws: ``Messages/MessageError`` for pieces of results that do not belong together.
    mutating func take(_ event: V1.PluginEvent) throws {
        switch event.event {
        case .description(let description)?: run.description = description
        case .provenance(let provenance)?: run.provenance = provenance
        case .result?, .chunk?:
            if let piece = event.event, let result = try assembly.take(piece) { run.results.append(result) }
        case .end(let end)?:
            try assembly.finish()
            run.end = end
        case .progress(let progress)?:
            line.show(label, progress) { count in progress.unit.isEmpty ? "\(count)" : "\(count) \(progress.unit)" }
        case .skipped(let skipped)?:
            run.skipped.append(skipped)
            say(PrintedText.safe("left out \(skipped.file): \(skipped.reason)"), .warning)
        case .log(let log)?: say(PrintedText.safe(log.message), level(log.level))
        case .started?, .recording?, .state?, nil: break
        }
    }

    private func say(_ text: String, _ level: Level) {
        line.clear()
        switch level {
        case .debug: verbosity.logger.debug("\(text)")
        case .notice: verbosity.logger.notice("\(text)")
        case .warning: verbosity.logger.warning("\(text)")
        case .error: verbosity.logger.error("\(text)")
        }
    }

    private enum Level { case debug, notice, warning, error }

    private func level(_ name: String) -> Level {
        switch name {
        case "error": .error
        case "warning": .warning
        case "info": .notice
        default: .debug
        }
    }

    /// Removes the progress.
    func finish() { line.clear() }
}

extension RunResults {
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
            case .json: try console.print(ResultsJSON().json(self).text)
            case .html: try console.output(ResultsPage.html(self))
            }
        }
        if let failure { throw failure }
        if typed().contains(where: { if case .failure = $0 { true } else { false } }) {
            throw CommandError(.badData, "some results are not as the plugin declares them")
        }
    }
}
