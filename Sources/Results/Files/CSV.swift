import Messages

/// Results as comma-separated values (RFC 4180, with `\n` as the end of a line): fields with commas, quotes or line ends
/// are in quotes. No value is an empty field.
package enum CSV {
    package static func text(_ table: V1.PluginTable) -> String {
        var out = line(table.columns)
        for row in table.rows {
            out += line(
                row.cells.map { cell in
                    switch cell.value {
                    case .number(let number)?: number.isNaN ? "" : "\(number)"
                    case .text(let text)?: text
                    case nil: ""
                    }
                })
        }
        return out
    }

    package static func text(_ events: [V1.PluginTimedEvent]) -> String {
        var out = line(["start", "end", "label", "value"])
        for event in events { out += line(["\(event.start)", "\(event.end)", event.label, "\(event.value)"]) }
        return out
    }

    /// A vector as positions and values, below each other; a matrix with its labels above and to the left.
    package static func text(_ array: NumericArray) -> String {
        func number(_ value: Double) -> String { value.isNaN ? "" : array.text(value) }
        let across = array.axes[array.axes.count - 1]
        guard array.axes.count == 2 else {
            var out = line([across.title.isEmpty ? "position" : across.title, "value"])
            for index in 0..<across.count { out += line([across.label(index), number(array.values[index])]) }
            return out
        }
        let down = array.axes[0]
        var out = line([down.title + " \\ " + across.title] + (0..<across.count).map(across.label))
        for row in 0..<down.count {
            out += quoted(down.label(row))
            for column in 0..<across.count {
                out += ","
                out += number(array[row, column])
            }
            out += "\n"
        }
        return out
    }

    /// Fields as a line.
    package static func line(_ fields: [String]) -> String { fields.map(quoted).joined(separator: ",") + "\n" }

    private static func quoted(_ field: String) -> String {
        // Bytes, because "\r\n" is one character in Swift.
        let special = field.utf8.contains { [0x22, 0x2C, 0x0A, 0x0D].contains($0) } || field.first == " "
        return special
            ? "\"" + field.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
            : field
    }
}
