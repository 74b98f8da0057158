import Messages
import TerminalText

/// A plugin's table: text left, numbers right.
struct ColumnText {
    struct Column {
        var title: String
        var cells: [String]
        var isNumeric: Bool
        var width: Int
    }

    /// Wider cells are cut.
    private static let widestCell = 48
    private static let gap = 2
    private let columns: [Column]
    private let rowCount: Int
    private let more: Int

    /// - Parameter most: rows that are shown; how many more there are is said below them.
    init(_ table: V1.PluginTable, most: Int) {
        let rows = table.rows.prefix(most)
        rowCount = rows.count
        more = table.rows.count - rows.count
        columns = table.columns.enumerated().map { index, title in
            let cells = rows.map { $0.cells[index].value }
            let numbers = cells.map { cell -> Double? in if case .number(let number)? = cell { number } else { nil } }
            var formatted = Digits.column(numbers.compactMap { $0 })[...]
            let texts = cells.map { cell -> String in
                switch cell {
                case .number?: formatted.popFirst() ?? ""
                case .text(let text)?: PrintedText.cut(PrintedText.safe(text), to: Self.widestCell)
                case nil: "–"
                }
            }
            let title = PrintedText.cut(PrintedText.safe(title), to: Self.widestCell)
            let width = (texts + [title]).map(PrintedText.width).max() ?? 0
            let isNumeric =
                numbers.contains { $0 != nil } && !cells.contains { if case .text? = $0 { true } else { false } }
            return Column(title: title, cells: texts, isNumeric: isNumeric, width: width)
        }
    }

    /// Columns that do not fit into `style`'s width are left out, and a note says so.
    func lines(_ style: TerminalStyle) -> [String] {
        guard !columns.isEmpty else { return ["(no columns)"] }
        var shown = 0
        var used = 0
        for column in columns {
            let next = used + (shown > 0 ? Self.gap : 0) + column.width
            if shown > 0, next > style.width { break }
            (shown, used) = (shown + 1, next)
        }
        let visible = columns.prefix(shown)
        var table = TextTable(header: visible.map(\.title), alignments: visible.map { $0.isNumeric ? .right : .left })
        for row in 0..<rowCount { table.append(row: visible.map { $0.cells[row] }) }
        var lines = table.lines
        lines[0] = style.bold(lines[0])
        if rowCount == 0 { lines.append("(no rows)") }
        if shown < columns.count {
            lines.append("… \(columns.count - shown) more columns: " + names(columns.dropFirst(shown), style))
        }
        if more > 0 { lines.append("… \(more) more rows; --format json or --out FOLDER has all") }
        return lines
    }

    private func names(_ rest: ArraySlice<Column>, _ style: TerminalStyle) -> String {
        PrintedText.cut(rest.map(\.title).joined(separator: ", "), to: max(style.width - 20, 10))
    }
}
