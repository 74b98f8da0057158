import Messages
import Results
import StrictJSON
import TerminalText

/// What a plugin's run tells a job, shown as it comes.
struct WatchedResults {
    private let format: ResultFormat
    private var outputs: [String: V1.PluginOutput] = [:]
    private var assembly = ResultAssembly()

    init(_ format: ResultFormat) { self.format = format }

    /// What is to be printed of an event, with its line's end; nil for nothing.
    /// - Throws: ``Messages/MessageError`` for pieces of results that do not belong together.
    mutating func text(_ event: V1.PluginEvent.Event, _ style: TerminalStyle) throws -> String? {
        switch event {
        case .description(let description):
            outputs = Dictionary(description.outputs.map { ($0.id, $0) }) { first, _ in first }
            return nil
        case .provenance(let provenance):
            return format == .text ? PrintedText.safe(provenance.text) + "\n" : line("provenance", provenance.json)
        case .skipped(let skipped):
            return format == .text
                ? PrintedText.safe("left out \(skipped.file): \(skipped.reason)") + "\n"
                : line("skipped", ["file": .string(skipped.file), "reason": .string(skipped.reason)])
        case .log(let log):
            return format == .text
                ? nil : line("log", ["level": .string(log.level), "message": .string(log.message)])
        case .result, .chunk:
            guard let result = try assembly.take(event) else { return nil }
            let typed: TypedResult
            do { typed = try TypedResult(result, declared: outputs[result.outputId]) } catch {
                return format == .text
                    ? PrintedText.safe("\(error)") + "\n" : line("problem", .string("\(error)"))
            }
            return format == .text ? ResultsText(style).text(typed) : line("result", ResultsJSON().json(typed))
        default: return nil
        }
    }

    private func line(_ name: String, _ value: JSON) -> String { JSON.object([(name, value)]).compactText + "\n" }
}
