import Drawing
import Palette

/// Which colour of a heat map is which value, beside it.
struct ColourScale {
    private static let style = TextStyle(size: 11, colour: .muted)
    private static let bar = 12.0
    private static let distance = 18.0

    private let range: RobustRange
    private let high: Text
    private let low: Text
    private let unit: Text
    private let none: Text
    /// What it takes to the right of the plot.
    let width: Double

    init(_ range: RobustRange, unit: String) {
        self.range = range
        high = Text((range.isCut.above ? "≥ " : "") + Digits.short(range.high), Self.style, within: 100)
        low = Text((range.isCut.below ? "≤ " : "") + Digits.short(range.low), Self.style, within: 100)
        self.unit = Text(unit, Self.style, within: 100)
        none = Text(range.hasMissing ? "no value" : "", Self.style)
        let between = AxisLabels.round(range.low, range.high, most: 6).map { Text(Digits.short($0), Self.style).width }
        let marks = ([high.width, low.width] + between).max() ?? 0
        width = Self.distance + max(Self.bar + 6 + marks, self.unit.width, none.width + 14) + 10
    }

    func draw(beside area: Area, _ canvas: Canvas) {
        // What stands below has room above the end of the plot's labels.
        let below = (unit.width > 0 ? unit.height + 4 : 0) + (none.width > 0 ? none.height + 4 : 0)
        let height = min(area.height, 220, max(area.height - below, 30))
        let bar = Area(area.right + Self.distance, area.y, Self.bar, height)
        var ramp = Pixels(width: 1, height: ColourMap.table.count)
        for (index, colour) in ColourMap.table.reversed().enumerated() { ramp[0, index] = colour }
        canvas.image(ramp, in: bar)
        func mark(_ text: Text, at y: Double) {
            canvas.line([Point(bar.right, y), Point(bar.right + 3, y)], .muted, width: 1)
            canvas.text(text, at: Point(bar.right + 6, y + text.baseline - text.height / 2))
        }
        mark(high, at: bar.y)
        mark(low, at: bar.bottom)
        // Round values where they leave room.
        for value in AxisLabels.round(range.low, range.high, most: max(Int(bar.height / 36), 2)) {
            guard let share = range.share(value) else { continue }
            let y = bar.bottom - share * bar.height
            let text = Text(Digits.short(value), Self.style)
            if y - bar.y >= text.height + 2, bar.bottom - y >= text.height + 2 { mark(text, at: y) }
        }
        var next = bar.bottom + low.height / 2 + 6
        if unit.width > 0 {
            canvas.text(unit, at: Point(bar.x, next + unit.baseline))
            next += unit.height + 4
        }
        if none.width > 0 {
            canvas.fill(Area(bar.x, next + none.height / 2 - 5, 10, 10), .missing)
            canvas.text(none, at: Point(bar.x + 14, next + none.baseline))
        }
    }
}
