import Drawing
import Messages
import Palette

/// A matrix as colours, with its scale, and what lies over it.
struct HeatMapDrawing {
    private static let mostEvents = 200

    let drawing: PlotDrawing
    let array: NumericArray
    let upward: Bool
    let range: RobustRange
    private var area: Area { drawing.area }

    func draw(_ events: [V1.PluginTimedEvent], _ line: NumericArray?, _ canvas: Canvas) {
        guard array.rows > 0, array.columns > 0 else {
            canvas.fill(area, .rule, opacity: 0.5)
            return canvas.text(Text("no values", AxisLabels.style), at: area.middle, .middle)
        }
        canvas.image(array.pixels(range, upward: upward, in: area), in: area)
        drawing.labels.drawAcross(canvas) { area.x + ($0 + 0.5) / Double(array.columns) * area.width }
        drawing.labels.drawDown(canvas) { position in
            let share = (position + 0.5) / Double(array.rows)
            return area.y + (upward ? 1 - share : share) * area.height
        }
        drawing.scale?.draw(beside: area, canvas)
        let shown = events.prefix(Self.mostEvents).compactMap(span)
        for event in shown { event.draw(in: area, canvas) }
        if let line { draw(line, canvas) }
        label(shown, canvas)
    }

    /// Where a time stands; beyond the ends of the picture's time, outside of it.
    private func x(_ time: Double) -> Double {
        let axis = array.axes[1]
        return area.x + ((time - axis.first) / axis.step + 0.5) / Double(array.columns) * area.width
    }

    /// An event where it stands, as far as it is in the picture.
    private struct Span {
        let label: String
        let from: Double
        let to: Double

        func draw(in area: Area, _ canvas: Canvas) {
            let mark = Area(from, area.y, max(to - from, 1.5), area.height)
            canvas.fill(mark, .paper, opacity: 0.22, note: label)
            canvas.line([Point(from, area.y), Point(from, area.bottom)], .paper, width: 1.2)
        }
    }

    private func span(_ event: V1.PluginTimedEvent) -> Span? {
        let (from, to) = (x(event.start), x(event.end))
        guard from.isFinite, to.isFinite else { return nil }
        return Span(
            label: event.label, from: min(max(from, area.x), area.right), to: min(max(to, area.x), area.right))
    }

    /// What events are called, above all else; one that would touch the label before it stays without.
    private func label(_ spans: [Span], _ canvas: Canvas) {
        let style = TextStyle(size: 11, isBold: true, colour: .paper)
        var free = -Double.infinity
        for span in spans where span.from >= free && !span.label.isEmpty {
            let room = min(max(span.to - span.from - 6, 60), area.right - span.from - 6)
            guard room > 12 else { continue }
            let text = Text(span.label, style, within: room)
            // A dark ground, as the colours below may be bright.
            canvas.fill(Area(span.from + 2, area.y + 3, text.width + 4, text.height), .ink, opacity: 0.6)
            canvas.text(text, at: Point(span.from + 4, area.y + 3 + text.baseline))
            free = span.from + text.width + 10
        }
    }

    /// On the same time, from its least value at the bottom to its most at the top.
    private func draw(_ line: NumericArray, _ canvas: Canvas) {
        let finite = line.values.filter(\.isFinite)
        let range = RobustRange([finite.min() ?? 0, finite.max() ?? 1])
        var run: [Point] = []
        func end() {
            if run.count > 1 {
                canvas.line(run, .ink, width: 3)
                canvas.line(run, .paper, width: 1.6)
            }
            run = []
        }
        for index in line.values.indices {
            let x = x(line.axes[0].value(Double(index)))
            guard let share = range.share(line.values[index]), x >= area.x, x <= area.right else {
                end()
                continue
            }
            run.append(Point(x, area.bottom - 4 - share * (area.height - 8)))
        }
        end()
    }
}

extension NumericArray {
    /// The values' colours, as many pixels as an area has; where values are denser, a pixel is the mean of its own.
    fileprivate func pixels(_ range: RobustRange, upward: Bool, in area: Area) -> Pixels {
        let width = max(Int(area.width * Picture.pixelsPerUnit), 1)
        let height = max(Int(area.height * Picture.pixelsPerUnit), 1)
        let fewer = shrunk(rows: height, columns: width)
        let colours = fewer.values.map { range.share($0).map(ColourMap.colour) ?? .missing }
        var pixels = Pixels(width: width, height: height)
        for y in 0..<height {
            let down = y * fewer.rows / height
            let row = upward ? fewer.rows - 1 - down : down
            for x in 0..<width { pixels[x, y] = colours[row * fewer.columns + x * fewer.columns / width] }
        }
        return pixels
    }
}
