import Client
import Logging
import Messages
import Results

/// A run's results on their way to where they are shown: one after the other as they come where the form allows it, and else
/// when all of them are there.
struct RunPrinter {
    private(set) var collector: RunCollector
    private let format: PluginFormat?
    private let out: String?
    /// Where they are shown as they come.
    private var blocks: ResultBlocks?
    private let line: ProgressLine
    private let console = Console.current

    /// - Parameters:
    ///   - format: nil where nobody says.
    ///   - out: a folder for files.
    ///   - label: of the progress.
    init(_ format: PluginFormat?, out: String?, _ logger: Logger, _ line: ProgressLine, label: String) {
        (self.format, self.out, self.line) = (format, out, line)
        let isText = out == nil && format ?? .text == .text
        blocks = isText ? ResultBlocks(ResultsText(TerminalStyle(environment: console.environment))) : nil
        collector = RunCollector(logger, line, label: label, keepsResults: !isText)
    }

    /// - Throws: ``Messages/MessageError`` for pieces of results that do not belong together; where nothing can be written.
    mutating func take(_ event: V1.PluginEvent) throws {
        guard let result = try collector.take(event), blocks != nil else { return }
        let typed = Result { () throws(ResultError) in
            try TypedResult(result, declared: collector.run.outputs[result.outputId])
        }
        line.clear()
        try blocks?.add(typed, console.output)
    }

    /// Shows what is left to show.
    /// - Throws: ``Client/CommandError`` (`badData`) where results are not what the plugin declares.
    mutating func finish() throws {
        collector.finish()
        guard blocks != nil else { return try collector.run.show(format, out: out) }
        try blocks?.finish(collector.run, console.output)
        if blocks?.hasBroken == true { throw RunResults.notAsDeclared }
    }

    /// Removes the progress.
    func clear() { collector.finish() }
}
