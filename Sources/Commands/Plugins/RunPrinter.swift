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
    private let printing: ResultPrinting?
    private let console = Console.current

    /// - Parameters:
    ///   - format: nil where nobody says.
    ///   - out: a folder for files.
    ///   - label: of the progress.
    /// - Throws: ``Files/FileError`` where nothing can be kept on disk.
    init(_ format: PluginFormat?, out: String?, _ logger: Logger, _ line: ProgressLine, label: String) throws {
        (self.format, self.out) = (format, out)
        let isText = out == nil && format ?? .text == .text
        let text = ResultsText(TerminalStyle(environment: console.environment))
        printing =
            try isText
            ? ResultPrinting(text) { [console] text in
                line.clear()
                try console.output(text)
            } : nil
        collector = RunCollector(logger, line, label: label, keepsResults: !isText)
    }

    /// - Throws: ``Messages/MessageError`` for pieces of results that do not belong together; where nothing can be written.
    mutating func take(_ event: V1.PluginEvent) throws {
        guard let result = try collector.take(event) else { return }
        try printing?.add(result, outputs: collector.run.outputs)
    }

    /// Shows what is left to show.
    /// - Throws: ``Client/CommandError`` (`badData`) where results are not what the plugin declares.
    func finish() async throws {
        collector.finish()
        guard let printing else { return try collector.run.show(format, out: out) }
        var blocks = try await printing.finish()
        try blocks.finish(collector.run, console.output)
        if blocks.hasBroken { throw RunResults.notAsDeclared }
    }

    /// Removes the progress, and ends what is not finished.
    func clear() {
        collector.finish()
        printing?.abandon()
    }
}
