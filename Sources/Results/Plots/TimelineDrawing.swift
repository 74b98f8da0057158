import Messages
import Palette

/// Events along time. Those that overlap stand below each other.
struct TimelineDrawing {
    private static let mostLanes = 4
    private static let laneHeight = 30.0
    private static let most = 2000
    let drawing: PlotDrawing
    private let shown: [V1.PluginTimedEvent]
    /// For each of them, the first lane that is free.
    private let lanes: [Int]

    init(drawing: PlotDrawing, events: [V1.PluginTimedEvent]) {
        self.drawing = drawing
        shown = Self.shown(events)
        lanes = Self.lanes(shown)
    }

    /// As high as the lanes that are needed.
    static func height(of events: [V1.PluginTimedEvent]) -> Double {
        laneHeight * Double((lanes(shown(events)).max() ?? 0) + 1)
    }

    private static func shown(_ events: [V1.PluginTimedEvent]) -> [V1.PluginTimedEvent] {
        events.prefix(most).filter { $0.start.isFinite && $0.end.isFinite }.sorted { $0.start < $1.start }
    }

    private static func lanes(_ events: [V1.PluginTimedEvent]) -> [Int] {
        var ends: [Double] = []
        return events.map { event in
            let end = max(event.end, event.start)
            if let lane = ends.firstIndex(where: { $0 <= event.start }) {
                ends[lane] = end
                return lane
            }
            guard ends.count == mostLanes else {
                ends.append(end)
                return ends.count - 1
            }
            let lane = ends.indices.min { ends[$0] < ends[$1] } ?? 0
            ends[lane] = max(ends[lane], end)
            return lane
        }
    }

    func draw<C: Canvas>(_ canvas: inout C) {
        let area = drawing.area
        let times = shown.flatMap { [$0.start, $0.end] }
        guard let first = times.min(), let last = times.max() else {
            let middle = Point(area.x + area.width / 2, area.y + area.height / 2)
            return canvas.text("no events", at: middle, TextStyle(anchor: .middle, colour: .muted))
        }
        let from = min(first, 0)
        let span = last > from ? last - from : 1
        func x(_ time: Double) -> Double { area.x + (time - from) / span * area.width }
        let height = Self.laneHeight
        for (event, lane) in zip(shown, lanes) {
            let left = x(event.start)
            let right = max(x(max(event.end, event.start)), left + 3)
            let mark = Area(left, area.y + Double(lane) * height + 2, right - left, height - 4)
            let when = "\(Digits.short(event.start)) – \(Digits.short(event.end)) s"
            canvas.rectangle(mark, Colour.series[0], opacity: 0.8, title: "\(event.label) (\(when))")
            let text = AxisLabels.fit(event.label, right - left - 8, size: 11)
            if text != "…", !text.isEmpty {
                canvas.text(text, at: Point(left + 4, mark.y + height / 2 + 2), TextStyle(size: 11, colour: .paper))
            }
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
