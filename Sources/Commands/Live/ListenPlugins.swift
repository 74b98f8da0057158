import Client
import Logging
import Messages
import Results
import StrictJSON
import TerminalText

/// What the plugins of a session have said of themselves, so that their results can be shown.
struct ListenPlugins {
    private struct Known {
        var id = ""
        var outputs: [String: V1.PluginOutput] = [:]
    }

    private var known: [UInt32: Known] = [:]
    private let results: ResultsJSON

    /// - Parameter numbers: how arrays are written in JSON.
    init(_ numbers: ResultsJSON.Numbers = .lists) { results = ResultsJSON(numbers: numbers) }

    /// What a plugin says.
    /// - Returns: its result, where it is one.
    /// - Throws: ``Results/ResultError`` for a result that it did not declare.
    mutating func take(_ news: V1.LivePluginNews) throws -> TypedResult? {
        switch news.news {
        case .description(let one)?:
            known[news.plugin] = Known(
                id: one.listing?.id ?? "",
                outputs: Dictionary(one.outputs.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first }))
            return nil
        case .result(let result)?:
            return try TypedResult(result, declared: known[news.plugin]?.outputs[result.outputId])
        case .log?, .failure?, nil: return nil
        }
    }

    func id(_ news: V1.LivePluginNews) -> String { known[news.plugin]?.id ?? "\(news.plugin)" }

    /// Says what is no result to whoever reads the log.
    func log(_ news: V1.LivePluginNews, _ logger: Logger) {
        switch news.news {
        case .log(let log)?:
            let levels: [String: Logger.Level] = ["error": .error, "warning": .warning, "info": .notice]
            let words = PrintedText.safe("\(id(news)): \(log.message)")
            logger.log(level: levels[log.level] ?? .debug, "\(words)")
        case .failure(let reason)?:
            let words = PrintedText.safe("\(id(news)) hears no more: \(reason)")
            logger.error("\(words)")
        case .description?, .result?, nil: break
        }
    }

    /// Members of an event of JSON; nil for what a session says of a plugin before all else.
    mutating func json(_ news: V1.LivePluginNews) throws -> [(String, JSON)]? {
        let result = try take(news)
        let head: [(String, JSON)] = [
            ("plugin", .string(id(news))), ("start", .number(news.start)), ("end", .number(news.end)),
        ]
        switch news.news {
        case .result?:
            return result.map { result in
                head + [
                    ("title", .string(result.title)), ("unit", .string(result.output.unit)),
                    ("result", results.json(result)),
                ]
            }
        case .log(let log)?: return head + [("level", .string(log.level)), ("message", .string(log.message))]
        case .failure(let reason)?: return head + [("failure", .string(reason))]
        case .description?, nil: return nil
        }
    }
}

extension TypedResult {
    /// A line for what is shown while it changes: a number with its unit, or the first line of anything else.
    /// - Parameter width: columns.
    func liveLine(width: Int) -> String {
        if case .scalar(let number) = value {
            return PrintedText.safe(
                [title, Digits.short(number), output.unit].filter { !$0.isEmpty }.joined(separator: " "))
        }
        let text = ResultsText(TerminalStyle(width: width, colours: .none)).text(self)
        let lines = text.split(separator: "\n").map(String.init)
        return ([PrintedText.safe(title)] + lines.dropFirst().prefix(1)).joined(separator: "  ")
    }
}
