/// Rows of text in columns that line up on a terminal, two spaces apart, without blanks at the end of a line.
package struct TextTable {
    package enum Alignment: Sendable { case left, right }

    private var rows: [[String]] = []
    private var alignments: [Alignment] = []

    package init(_ header: String...) { rows.append(header) }

    /// - Parameter alignments: of the columns, from the first; left where there are fewer.
    package init(header: [String], alignments: [Alignment] = []) {
        rows.append(header)
        self.alignments = alignments
    }

    package mutating func append(_ row: String...) { rows.append(row) }
    package mutating func append(row: [String]) { rows.append(row) }

    /// The header's line first.
    package var lines: [String] {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { $0.count > column ? PrintedText.width($0[column]) : 0 }.max() ?? 0
        }
        return rows.map { row in
            let cells = row.enumerated().map { column, cell in
                PrintedText.pad(
                    cell, to: widths[column], right: column < alignments.count && alignments[column] == .right)
            }
            return String(cells.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
        }
    }

    package var text: String { lines.joined(separator: "\n") }
}
