import Messages
import TerminalText

/// Results for people at a terminal. Written piece by piece, as a run may have thousands.
package struct ResultsText {
    private static let tableRows = 60

    package let style: TerminalStyle
    package init(_ style: TerminalStyle) { self.style = style }

    /// All of it, ending with a line's end.
    package func text(_ run: RunResults) -> String {
        var out = ""
        write(run) { out += $0 }
        return out
    }

    /// Hands text to `take` as it comes about: one result is in memory at a time.
    package func write(_ run: RunResults, _ take: (String) throws -> Void) rethrows {
        var blocks = ResultBlocks(self)
        for result in run.typed() { try blocks.add(result, take) }
        try blocks.finish(run, take)
    }

    /// One result by itself, ending with a line's end.
    package func text(_ result: TypedResult) -> String {
        guard let lines = lines(result) else {
            return PrintedText.safe("\(result.heading): ") + value(result) + "\n"
        }
        return ([style.bold(PrintedText.safe(result.heading))] + lines).map { $0 + "\n" }.joined()
    }

    /// Nil for a scalar, which is shown with the others.
    func lines(_ result: TypedResult) -> [String]? {
        switch result.value {
        case .scalar: nil
        case .vector(let array): ArrayText.vector(array, style)
        case .matrix(let array): ArrayText.matrix(array, style)
        case .table(let table): ColumnText(table, most: Self.tableRows).lines(style)
        case .events(let events): EventsText.lines(events, style)
        case .audio(let clip):
            [
                "\(Digits.short(clip.seconds)) s of sound at \(clip.rate) Hz; --out FOLDER or --format html makes it heard"
            ]
        case .text(let text): [PrintedText.safe(text, keepingLines: true)]
        }
    }

    /// A line for each; those about recordings as a table with a row for each recording.
    func scalarLines(_ scalars: [TypedResult]) -> [String] {
        let overall = scalars.filter { $0.file.isEmpty }
        let width = overall.map { PrintedText.width(PrintedText.safe($0.title)) }.max() ?? 0
        var lines = overall.map { result in
            PrintedText.pad(PrintedText.safe(result.title), to: width) + "  " + value(result)
                + (result.output.unit.isEmpty ? "" : " " + PrintedText.safe(result.output.unit))
        }
        let table = ScalarTable(scalars.filter { !$0.file.isEmpty }).table
        if !table.rows.isEmpty {
            if !lines.isEmpty { lines.append("") }
            lines += ColumnText(table, most: Self.tableRows).lines(style)
        }
        return lines
    }

    private func value(_ result: TypedResult) -> String {
        if case .scalar(let number) = result.value { Digits.plain(number) } else { "" }
    }

    package static func summary(_ end: V1.PluginEnd) -> String {
        var parts = ["\(end.recordings) recordings", "\(end.results) results"]
        if end.skipped > 0 { parts.append("\(end.skipped) left out") }
        if !end.model.isEmpty { parts.append("model \(end.model)") }
        parts.append("seed \(end.seed)")
        let inside = "engine \(Digits.short(end.engineSeconds)) s, plugin \(Digits.short(end.pluginSeconds)) s"
        return parts.joined(separator: ", ") + "; \(Digits.short(end.seconds)) s (\(inside))"
    }
}
