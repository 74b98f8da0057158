import Logging
import Messages
import Results
import TerminalText

/// Gathers what a run says, and tells the person who waits.
package struct RunCollector {
    package private(set) var run = RunResults()
    private var assembly = ResultAssembly()
    private let logger: Logger
    private let line: ProgressLine
    private let label: String
    private let keepsResults: Bool
    /// Whether what is said of a recording is to be said: of several runs over the same ones, once.
    private let isNews: @Sendable (String) -> Bool
    /// Recordings that the plugin was given, in their order.
    package private(set) var recordings: [(name: String, sha256: String)] = []

    /// - Parameters:
    ///   - logger: takes what the plugin and the daemon log.
    ///   - line: shows how far the run is, under `label`.
    ///   - keepsResults: whether ``run`` has the results; without, whoever calls ``take(_:)`` has shown them.
    package init(
        _ logger: Logger, _ line: ProgressLine, label: String, keepsResults: Bool = true,
        isNews: @escaping @Sendable (String) -> Bool = { _ in true }
    ) {
        self.logger = logger
        self.line = line
        self.label = label
        self.keepsResults = keepsResults
        self.isNews = isNews
    }

    /// - Returns: a result that is whole with this event.
    /// - Throws: ``Messages/MessageError`` for pieces of results that do not belong together.
    @discardableResult
    package mutating func take(_ event: V1.PluginEvent) throws -> V1.PluginResult? {
        switch event.event {
        case .description(let description)?: run.description = description
        case .provenance(let provenance)?: run.provenance = provenance
        case .result?, .chunk?:
            guard let piece = event.event, let result = try assembly.take(piece) else { break }
            if keepsResults { try run.results.append(result) }
            return result
        case .end(let end)?:
            try assembly.finish()
            run.end = end
        case .progress(let progress)?:
            line.show(label, progress) { count in progress.unit.isEmpty ? "\(count)" : "\(count) \(progress.unit)" }
        case .skipped(let skipped)?:
            run.skipped.append(skipped)
            warn("left out \(skipped.file): \(skipped.reason)")
        case .notice(let notice)?:
            run.notices.append(notice)
            warn("\(notice.file): \(notice.notice?.text ?? "")")
        case .log(let log)?: say(PrintedText.safe(log.message), level(log.level))
        case .recording(let recording)?: recordings.append((recording.name, recording.sha256))
        case .started?, .state?, nil: break
        }
        return nil
    }

    /// Whether every recording was left out; results about all of them there may be all the same, of none.
    package var heardNothing: Bool { recordings.isEmpty && (!run.skipped.isEmpty || !run.notices.isEmpty) }

    private func warn(_ text: String) {
        if isNews(text) { say(PrintedText.safe(text), .warning) }
    }

    private func say(_ text: String, _ level: Level) {
        line.clear()
        switch level {
        case .debug: logger.debug("\(text)")
        case .notice: logger.notice("\(text)")
        case .warning: logger.warning("\(text)")
        case .error: logger.error("\(text)")
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
    package func finish() { line.clear() }
}
