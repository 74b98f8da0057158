import Palette
import TerminalText

/// Vectors and matrices in characters.
enum ArrayText {
    private static let bars: [Character] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
    private static let shades: [Character] = [" ", "░", "▒", "▓", "█"]
    /// Labelled vectors up to this length are written out.
    private static let written = 40
    private static let mostRows = 40

    /// A sparkline with its axis and its range; a labelled vector that is short as a line for each value.
    static func vector(_ array: NumericArray, _ style: TerminalStyle) -> [String] {
        guard array.columns > 0 else { return ["(empty)"] }
        let axis = array.axes[0]
        if !axis.labels.isEmpty, array.columns <= written { return labelled(array, style) }
        let fewer = array.shrunk(rows: 1, columns: style.width - 2)
        let range = RobustRange(fewer.values)
        let line = String(fewer.values.map { level($0, range, bars) ?? "·" })
        var note = "\(summary(array)); \(axis.count) values"
        if fewer.columns < array.columns { note += ", each mark the mean of \(Int(fewer.axes[0].step / axis.step))" }
        return [line, axisLine(axis, width: fewer.columns), note]
    }

    private static func labelled(_ array: NumericArray, _ style: TerminalStyle) -> [String] {
        let labels = (0..<array.columns).map { PrintedText.cut(PrintedText.safe(array.axes[0].label($0)), to: 30) }
        let numbers = Digits.column(array.values)
        let labelWidth = labels.map(PrintedText.width).max() ?? 0
        let numberWidth = numbers.map(PrintedText.width).max() ?? 0
        let room = max(min(style.width - labelWidth - numberWidth - 4, 40), 4)
        let largest = array.values.filter(\.isFinite).map { abs($0) }.max() ?? 0
        return array.values.indices.map { index in
            let value = array.values[index]
            let share = value.isFinite && largest > 0 ? abs(value) / largest : value.isInfinite ? 1 : 0
            let bar = String(repeating: value < 0 ? "░" : "█", count: Int((share * Double(room)).rounded()))
            let line =
                PrintedText.pad(labels[index], to: labelWidth) + "  "
                + PrintedText.pad(numbers[index], to: numberWidth, right: true)
            return bar.isEmpty ? line : line + "  " + bar
        }
    }

    /// A heat map: a character (two, on a terminal with colours) for a value, row by row, with both axes.
    static func matrix(_ array: NumericArray, _ style: TerminalStyle) -> [String] {
        guard array.rows > 0, array.columns > 0 else { return ["(empty: \(array.rows) × \(array.columns))"] }
        let isWide = array.columns * 2 <= style.width - 16
        let cell = isWide ? 2 : 1
        let fewer = array.shrunk(rows: mostRows, columns: max((style.width - 14) / cell, 4))
        let labels = (0..<fewer.rows).map { PrintedText.cut(PrintedText.safe(fewer.axes[0].label($0)), to: 12) }
        let labelWidth = labels.map(PrintedText.width).max() ?? 0
        let range = RobustRange(fewer.values)
        var lines: [String] = []
        let name = PrintedText.safe(fewer.axes[0].title)
        if !name.isEmpty { lines.append("↓ " + name) }
        for row in 0..<fewer.rows {
            let cells = (0..<fewer.columns).map { paint(fewer[row, $0], range, cell, style) }.joined()
            lines.append(PrintedText.pad(labels[row], to: labelWidth, right: true) + " " + cells)
        }
        let margin = String(repeating: " ", count: labelWidth + 1)
        lines.append(margin + axisLine(fewer.axes[1], width: fewer.columns * cell))
        lines.append(scale(range, style) + "; \(array.rows) × \(array.columns) values" + shrinkNote(array, fewer))
        return lines
    }

    private static func paint(_ value: Double, _ range: RobustRange, _ cell: Int, _ style: TerminalStyle) -> String {
        guard let share = range.share(value) else { return String(repeating: "·", count: cell) }
        guard style.colours != .none else {
            return String(repeating: level(value, range, shades) ?? "·", count: cell)
        }
        return style.paint(String(repeating: " ", count: cell), ground: ColourMap.colour(share))
    }

    /// What darkest and brightest mean.
    private static func scale(_ range: RobustRange, _ style: TerminalStyle) -> String {
        let steps =
            style.colours == .none
            ? "[ ░▒▓█]" : (0..<8).map { style.paint(" ", ground: ColourMap.colour(Double($0) / 7)) }.joined()
        let low = (range.isCut.below ? "≤ " : "") + Digits.short(range.low)
        let high = (range.isCut.above ? "≥ " : "") + Digits.short(range.high)
        return "\(low) \(steps) \(high)" + (range.hasMissing ? "; · no value" : "")
    }

    private static func shrinkNote(_ array: NumericArray, _ fewer: NumericArray) -> String {
        guard fewer.rows < array.rows || fewer.columns < array.columns else { return "" }
        return ", shown as means of " + "\(ratio(array.rows, fewer.rows)) × \(ratio(array.columns, fewer.columns))"
    }

    private static func ratio(_ all: Int, _ shown: Int) -> Int { (all + shown - 1) / shown }

    /// The first and the last position, with the axis' name between them.
    private static func axisLine(_ axis: ArrayAxis, width: Int) -> String {
        let first = PrintedText.cut(PrintedText.safe(axis.label(0)), to: 16)
        let last = PrintedText.cut(PrintedText.safe(axis.label(axis.count - 1)), to: 16)
        let title = PrintedText.safe(axis.title)
        let name = title.isEmpty ? "" : "→ \(title)"
        let room = width - PrintedText.width(first) - PrintedText.width(last) - PrintedText.width(name)
        guard axis.count > 1, room >= 2 else { return "\(first) … \(last)  \(name)" }
        let left = String(repeating: " ", count: room / 2)
        let right = String(repeating: " ", count: room - room / 2)
        return first + left + name + right + last
    }

    static func summary(_ array: NumericArray) -> String {
        let finite = array.values.filter(\.isFinite)
        guard let least = finite.min(), let most = finite.max() else { return "no values" }
        return "min \(Digits.short(least)), max \(Digits.short(most))"
    }

    private static func level(_ value: Double, _ range: RobustRange, _ marks: [Character]) -> Character? {
        range.share(value).map { marks[min(Int($0 * Double(marks.count)), marks.count - 1)] }
    }
}
