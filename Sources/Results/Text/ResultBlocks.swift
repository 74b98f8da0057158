import Messages
import TerminalText

/// The text of a run's results, a block each, while they come: what is shown is forgotten, but for single numbers, which are put
/// together in one table at the end.
package struct ResultBlocks {
    private let text: ResultsText
    private var isFirst = true
    private var scalars: [TypedResult] = []
    private var broken: [ResultError] = []

    package init(_ text: ResultsText) { self.text = text }

    /// Whether a result was not what its plugin declares.
    package var hasBroken: Bool { !broken.isEmpty }

    /// The next result, in the order of the run.
    package mutating func add(_ result: Result<TypedResult, ResultError>, _ take: (String) throws -> Void) rethrows {
        switch result {
        case .failure(let error): broken.append(error)
        case .success(let result):
            guard let lines = text.lines(result) else { return scalars.append(result) }
            try block(result.heading, lines, take)
        }
    }

    /// What is shown of all of them: numbers, what is wrong, and how the run ended.
    /// - Parameter run: whose results were added.
    package mutating func finish(_ run: RunResults, _ take: (String) throws -> Void) rethrows {
        if !scalars.isEmpty { try block("Scalars", text.scalarLines(scalars), take) }
        if !broken.isEmpty {
            try block("Not as declared", broken.map { PrintedText.safe($0.description) }, take)
        }
        if !run.skipped.isEmpty {
            try block("Left out", run.skipped.map { PrintedText.safe("\($0.file): \($0.reason)") }, take)
        }
        if isFirst { try block("No results", [], take) }
        if let end = run.end { try take("\n" + PrintedText.safe(ResultsText.summary(end)) + "\n") }
        if let provenance = run.provenance { try take(PrintedText.safe(provenance.text) + "\n") }
    }

    private mutating func block(_ heading: String, _ lines: [String], _ take: (String) throws -> Void) rethrows {
        try take((isFirst ? "" : "\n") + text.style.bold(PrintedText.safe(heading)) + "\n")
        try take(lines.map { $0 + "\n" }.joined())
        isFirst = false
    }
}
