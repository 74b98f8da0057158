import Messages
import Palette

/// Events along time. Those that overlap stand below each other.
struct TimelineDrawing {
    private static let lanes = 4
    private static let most = 2000
    let drawing: PlotDrawing
    let events: [V1.PluginTimedEvent]

    func draw<C: Canvas>(_ canvas: inout C) {
        let area = drawing.area
        let shown = events.prefix(Self.most).filter { $0.start.isFinite && $0.end.isFinite }
            .sorted { $0.start < $1.start }
        let times = shown.flatMap { [$0.start, $0.end] }
        guard let first = times.min(), let last = times.max() else {
            let middle = Point(area.x + area.width / 2, area.y + area.height / 2)
            return canvas.text("no events", at: middle, TextStyle(anchor: .middle, colour: .muted))
        }
        let from = min(first, 0)
        let span = last > from ? last - from : 1
        func x(_ time: Double) -> Double { area.x + (time - from) / span * area.width }
        let height = area.height / Double(Self.lanes)
        var ends = [Double](repeating: -.infinity, count: Self.lanes)
        for event in shown {
            let left = x(event.start)
            let right = max(x(max(event.end, event.start)), left + 3)
            let lane = ends.firstIndex { $0 <= left } ?? ends.indices.min { ends[$0] < ends[$1] } ?? 0
            let mark = Area(left, area.y + Double(lane) * height + 2, right - left, height - 4)
            let when = "\(Digits.short(event.start)) – \(Digits.short(event.end)) s"
            canvas.rectangle(mark, Colour.series[0], opacity: 0.8, title: "\(event.label) (\(when))")
            let text = AxisLabels.fit(event.label, right - left - 8, size: 11)
            if text != "…", !text.isEmpty {
                canvas.text(text, at: Point(left + 4, mark.y + height / 2 + 2), TextStyle(size: 11, colour: .paper))
            }
            ends[lane] = right + 1
        }
        canvas.line([Point(area.x, area.bottom), Point(area.right, area.bottom)], .muted, width: 1)
        for time in AxisLabels.round(from, from + span, most: 8) {
            canvas.line([Point(x(time), area.bottom), Point(x(time), area.bottom + 4)], .muted, width: 1)
            let style = TextStyle(size: 11, anchor: .middle, colour: .muted)
            canvas.text(Digits.plain(time), at: Point(x(time), area.bottom + 16), style)
        }
        let below = Point(area.x + area.width / 2, area.bottom + 34)
        canvas.text("time (s)", at: below, TextStyle(size: 12, anchor: .middle))
    }
}
