import Foundation

/// The writing beside a plot: positions along its axes, and their names.
struct AxisLabels {
    private static let size = 11.0
    private static let longest = 110.0
    let area: Area
    let down: Axis
    let across: Axis
    private let isTurned: Bool
    let bottomMargin: Double

    init(area: Area, down: Axis, across: Axis) {
        self.area = area
        self.down = down
        self.across = across
        let widest = Self.widest(across)
        let spacing = across.count > 0 ? area.width / Double(across.count) : area.width
        isTurned = !across.labels.isEmpty && widest + 6 > max(spacing, 18)
        let labels = isTurned ? min(widest, Self.longest) + 8 : 18
        bottomMargin = 8 + labels + (across.title.isEmpty ? 6 : 22)
    }

    static func leftMargin(_ axis: Axis) -> Double {
        min(widest(axis), longest) + (axis.title.isEmpty ? 24 : 42)
    }

    private static func widest(_ axis: Axis) -> Double {
        guard !axis.labels.isEmpty else { return 34 }
        return axis.labels.prefix(2000).map { StrokeFont.width($0, size: size) }.max() ?? 34
    }

    /// `text`, cut where it is wider.
    static func fit(_ text: String, _ width: Double, size: Double) -> String {
        guard StrokeFont.width(text, size: size) > width else { return text }
        var text = String(text.prefix(400))
        while !text.isEmpty, StrokeFont.width(text + "…", size: size) > width { text.removeLast() }
        return text + "…"
    }

    /// - Parameters:
    ///   - place: where a position along an axis (0 at the middle of the first) stands, in pixels.
    func drawAcross<C: Canvas>(_ canvas: inout C, place: (Double) -> Double) {
        var style = TextStyle(size: Self.size, anchor: isTurned ? .end : .middle, colour: .muted)
        style.isTurned = isTurned
        let wanted = isTurned || !across.labels.isEmpty ? 15.0 : 70
        for (position, text) in Self.ticks(across, most: Int(area.width / wanted)) {
            let x = place(position)
            canvas.line([Point(x, area.bottom + 1), Point(x, area.bottom + 4)], .muted, width: 1)
            let label = Self.fit(text, isTurned ? Self.longest : 90, size: Self.size)
            canvas.text(label, at: Point(x + (isTurned ? 4 : 0), area.bottom + (isTurned ? 8 : 16)), style)
        }
        guard !across.title.isEmpty else { return }
        let title = Self.fit(across.title, area.width, size: 12)
        let bottom = area.bottom + bottomMargin - 8
        canvas.text(title, at: Point(area.x + area.width / 2, bottom), TextStyle(size: 12, anchor: .middle))
    }

    func drawDown<C: Canvas>(_ canvas: inout C, place: (Double) -> Double) {
        let style = TextStyle(size: Self.size, anchor: .end, colour: .muted)
        for (position, text) in Self.ticks(down, most: Int(area.height / (down.labels.isEmpty ? 28 : 13))) {
            let y = place(position)
            canvas.line([Point(area.x - 4, y), Point(area.x - 1, y)], .muted, width: 1)
            canvas.text(Self.fit(text, Self.longest, size: Self.size), at: Point(area.x - 7, y + 4), style)
        }
        guard !down.title.isEmpty else { return }
        var title = TextStyle(size: 12, anchor: .middle)
        title.isTurned = true
        let fitted = Self.fit(down.title, area.height + 30, size: 12)
        canvas.text(fitted, at: Point(18, area.y + area.height / 2), title)
    }

    /// Positions that are written on: round values of an axis with values, evenly spaced ones of one with labels.
    static func ticks(_ axis: Axis, most: Int) -> [(position: Double, text: String)] {
        guard axis.count > 0 else { return [] }
        let most = max(most, 2)
        guard axis.labels.isEmpty else {
            let step = (axis.count + most - 1) / most
            return stride(from: 0, to: axis.count, by: step).map { (Double($0), axis.label($0)) }
        }
        let last = axis.value(Double(axis.count - 1))
        return round(min(axis.first, last), max(axis.first, last), most: most).map { value in
            ((value - axis.first) / axis.step, Digits.plain(value))
        }
    }

    /// Multiples of 1, 2 or 5 times a power of ten between two values, `most` at most; the values themselves where they
    /// are equal, or so far apart that nothing lies between.
    static func round(_ low: Double, _ high: Double, most: Int) -> [Double] {
        let span = high - low
        guard span > 0, span.isFinite else { return [low] }
        let raw = span / Double(max(most, 1))
        let power = pow(10, log10(raw).rounded(.down))
        guard power > 0, power.isFinite else { return [low] }
        let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= raw * 0.999 } ?? power * 10
        let first = (low / step).rounded(.up)
        let count = ((high / step).rounded(.down) - first)
        guard first.isFinite, count.isFinite, count >= 0, count < 1000 else { return [low, high] }
        return (0...Int(count)).map { (first + Double($0)) * step }.map { abs($0) < step / 1e6 ? 0 : $0 }
    }
}
