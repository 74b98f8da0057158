import Foundation
import TerminalText

/// Measurements that belong together, with what they were measured on.
public struct Table: Sendable {
    public var title: String
    /// Lines below the title: formulas, sizes, what is compared.
    public var remarks: [String] = []
    public var rows: [Measurement] = []

    public init(_ title: String, remarks: [String] = [], rows: [Measurement] = []) {
        self.title = title
        self.remarks = remarks
        self.rows = rows
    }

    /// The columns that some row fills: always the first three.
    private enum Column: CaseIterable {
        case name, median, quartiles, p95, p99, ratio, ideal, note

        var heading: String {
            switch self {
            case .name: "quantity"
            case .median: "median"
            case .quartiles: "quartiles"
            case .p95: "p95"
            case .p99: "p99"
            case .ratio: "ratio"
            case .ideal: "× limit"
            case .note: "note"
            }
        }

        var isNumeric: Bool { self != .name && self != .note }

        func text(_ row: Measurement) -> String {
            switch self {
            case .name: row.name
            case .median: row.samples.isEmpty ? "–" : "\(Figure.text(row.median)) \(row.unit)"
            case .quartiles:
                row.samples.count < 2 ? "" : Figure.range(row.quartiles)
            case .p95: row.isLatency && row.samples.count > 1 ? Figure.text(row.p95) : ""
            case .p99: row.isLatency && row.samples.count > 1 ? Figure.text(row.p99) : ""
            case .ratio:
                row.comparison.map { comparison in
                    let ratio = Figure.ratio(Statistics.median(of: comparison.ratios))
                    let (low, high) = Statistics.quartiles(of: comparison.ratios)
                    let spread = comparison.ratios.count < 2 ? "" : " (\(Figure.ratio(low))–\(Figure.ratio(high)))"
                    return "\(ratio)\(spread) × \(comparison.label)"
                } ?? ""
            case .ideal: row.timesIdeal.map(Figure.ratio) ?? ""
            case .note: row.note
            }
        }
    }

    private var columns: [(column: Column, texts: [String])] {
        Column.allCases.map { column in (column, rows.map { column.text($0) }) }
            .filter { column, texts in
                [.name, .median, .quartiles].contains(column) || texts.contains { !$0.isEmpty }
            }
    }

    /// Aligned columns for a terminal.
    public var text: String {
        var lines = [title] + remarks.map { "  \($0)" }
        let columns = columns
        var table = TextTable(
            header: columns.map(\.column.heading), alignments: columns.map { $0.column.isNumeric ? .right : .left })
        for index in rows.indices { table.append(row: columns.map { $0.texts[index] }) }
        lines += table.lines.map { "  \($0)" }
        return lines.joined(separator: "\n")
    }

    /// As the tables of SPEED.md are.
    public var markdown: String {
        let columns = columns
        func line(_ cells: [String]) -> String {
            "| " + cells.map { $0.replacingOccurrences(of: "|", with: "\\|") }.joined(separator: " | ") + " |"
        }
        var lines = ["### \(title)", ""]
        if !remarks.isEmpty { lines += [remarks.joined(separator: "\n"), ""] }
        lines.append(line(columns.map(\.column.heading)))
        lines.append("|" + columns.map { $0.column.isNumeric ? "---:" : "---" }.joined(separator: "|") + "|")
        for index in rows.indices { lines.append(line(columns.map { $0.texts[index] })) }
        return lines.joined(separator: "\n")
    }
}

/// Numbers as tables show them: three or four digits that mean something.
enum Figure {
    static func text(_ value: Double) -> String {
        switch abs(value) {
        case _ where !value.isFinite: "–"
        case 1000...: grouped(value)
        case 100...: String(format: "%.1f", value)
        case 10...: String(format: "%.2f", value)
        case 0.1..., 0: String(format: "%.3f", value)
        default: String(format: "%.2e", value)
        }
    }

    static func range(_ ends: (Double, Double)) -> String { "\(text(ends.0))–\(text(ends.1))" }

    static func ratio(_ value: Double) -> String {
        value.isFinite ? String(format: abs(value) >= 100 ? "%.0f" : abs(value) >= 10 ? "%.1f" : "%.2f", value) : "–"
    }

    /// 12,345.
    private static func grouped(_ value: Double) -> String {
        let digits = String(format: "%.0f", abs(value))
        var out = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { out += "," }
            out.append(digit)
        }
        return (value < 0 ? "−" : "") + out
    }
}
