import Drawing
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

    /// The time that is shown, as an axis.
    static func axis(of events: [V1.PluginTimedEvent]) -> ArrayAxis {
        let times = shown(events).flatMap { [$0.start, $0.end] }
        let first = min(times.min() ?? 0, 0), last = times.max() ?? 0
        let span = last > first && (last - first).isFinite ? last - first : 1
        return ArrayAxis(name: "time", unit: "s", first: first, step: span, count: times.isEmpty ? 0 : 2)
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

    func draw(_ canvas: Canvas) {
        let area = drawing.area
        guard !shown.isEmpty else {
            return canvas.text(Text("no events", AxisLabels.style), at: area.middle, .middle)
        }
        let time = drawing.across
        func x(_ seconds: Double) -> Double { area.x + (seconds - time.first) / time.step * area.width }
        let style = TextStyle(size: 11, colour: .paper)
        /// To where each lane is written on: events of a full lane lie over others.
        var free = [Double](repeating: -.infinity, count: Self.mostLanes)
        for (event, lane) in zip(shown, lanes) {
            let left = x(event.start)
            let right = max(x(max(event.end, event.start)), left + 3)
            let mark = Area(left, area.y + Double(lane) * Self.laneHeight + 2, right - left, Self.laneHeight - 4)
            let when = "\(Digits.short(event.start)) – \(Digits.short(event.end)) s"
            canvas.fill(mark, .series(0), opacity: 0.8, note: "\(event.label) (\(when))")
            let room = right - left - 8
            guard room > 8, left >= free[lane] else { continue }
            let text = Text(event.label, style, within: room)
            canvas.text(text, at: Point(left + 4, mark.middle.y + text.baseline - text.height / 2))
            free[lane] = left + 4 + text.width
        }
        canvas.line([Point(area.x, area.bottom), Point(area.right, area.bottom)], .muted, width: 1)
        drawing.labels.drawAcross(canvas) { area.x + $0 * area.width }
    }
}
