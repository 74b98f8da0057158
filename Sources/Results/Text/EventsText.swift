import Messages
import TerminalText

/// Timed events as a line of time with what happens on it, and a list below.
enum EventsText {
    private static let most = 50

    static func lines(_ events: [V1.PluginTimedEvent], _ style: TerminalStyle) -> [String] {
        guard !events.isEmpty else { return ["(no events)"] }
        let times = events.flatMap { [$0.start, $0.end] }.filter(\.isFinite)
        guard let first = times.min(), let last = times.max() else { return list(events) }
        let width = min(style.width, 80)
        let scale = last > first ? Double(width - 1) / (last - first) : 0
        func column(_ time: Double) -> Int {
            let place = (time - first) * scale
            return place.isFinite ? min(max(Int(place), 0), width - 1) : 0
        }
        var marks = [Character](repeating: "·", count: width)
        for event in events {
            let from = column(min(event.start, event.end))
            for place in from...max(column(max(event.start, event.end)), from) {
                marks[place] = event.end > event.start ? "━" : "┃"
            }
        }
        for event in events { marks[column(event.start)] = "┃" }
        let begin = timestamp(first)
        let end = timestamp(last)
        let gap = String(repeating: " ", count: max(width - begin.count - end.count, 1))
        return [String(marks), begin + gap + end] + list(events)
    }

    private static func list(_ events: [V1.PluginTimedEvent]) -> [String] {
        let shown = events.prefix(most)
        let values = Digits.column(shown.map(\.value))
        let width = values.map(PrintedText.width).max() ?? 0
        // A plugin that gives events no values leaves them all at zero.
        let hasValues = events.contains { $0.value != 0 }
        var lines = zip(shown, values).map { event, value in
            let time = event.end > event.start ? "\(time(event.start)) – \(time(event.end))" : time(event.start)
            let number = hasValues ? PrintedText.pad(value, to: width, right: true) + "  " : ""
            return "\(time)  \(number)\(PrintedText.safe(event.label))"
        }
        if events.count > most { lines.append("… \(events.count - most) more events") }
        return lines
    }

    private static func time(_ seconds: Double) -> String { seconds.isFinite ? timestamp(seconds) : "–" }
}
