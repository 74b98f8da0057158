/// Rows of text in columns that line up, two spaces apart; the last column is not padded.
package struct TextTable {
    private var rows: [[String]] = []

    package init(_ header: String...) { rows.append(header) }
    package init(header: [String]) { rows.append(header) }

    package mutating func append(_ row: String...) { rows.append(row) }
    package mutating func append(row: [String]) { rows.append(row) }

    package var text: String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in rows.map { $0.count > column ? $0[column].count : 0 }.max() ?? 0 }
        return rows.map { row in
            row.enumerated().map { column, cell in
                column == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[column] - cell.count)
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }
}
