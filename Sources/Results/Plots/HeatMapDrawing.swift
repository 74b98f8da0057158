import Messages

/// A matrix as colours, with its scale, and what lies over it.
struct HeatMapDrawing {
    let drawing: PlotDrawing
    let array: NumericArray
    let upward: Bool
    private static let mostEvents = 200

    func draw<C: Canvas>(_ events: [V1.PluginTimedEvent], _ line: NumericArray?, _ canvas: inout C) {
        let area = drawing.area
        let range = RobustRange(array.values)
        guard array.rows > 0, array.columns > 0 else {
            canvas.rectangle(area, .rule, opacity: 0.5, title: nil)
            let middle = Point(area.x + area.width / 2, area.y + area.height / 2)
            canvas.text("no values", at: middle, TextStyle(anchor: .middle, colour: .muted))
            return
        }
        canvas.image(array, range, in: area, upward: upward)
        drawing.labels.drawAcross(&canvas) { area.x + ($0 + 0.5) / Double(array.columns) * area.width }
        drawing.labels.drawDown(&canvas) { position in
            let share = (position + 0.5) / Double(array.rows)
            return area.y + (upward ? 1 - share : share) * area.height
        }
        scale(range, &canvas)
        draw(events, &canvas)
        if let line { draw(line, &canvas) }
    }

    /// Which colour is which value.
    private func scale<C: Canvas>(_ range: RobustRange, _ canvas: inout C) {
        let area = drawing.area
        let height = min(area.height, 220)
        let bar = Area(area.right + 18, area.y, 12, height)
        let steps = (0..<255).map { Double($0) }
        let ramp = NumericArray(
            values: steps, axes: [Axis(count: 255), Axis(count: 1)])
        canvas.image(ramp, RobustRange.full(0, 254), in: bar, upward: true)
        let small = TextStyle(size: 11, colour: .muted)
        func mark(_ text: String, at y: Double) {
            canvas.line([Point(bar.right, y), Point(bar.right + 3, y)], .muted, width: 1)
            canvas.text(text, at: Point(bar.right + 6, y + 4), small)
        }
        // Both ends, and round values where they leave room.
        mark((range.isCut.above ? "≥ " : "") + Digits.short(range.high), at: bar.y)
        mark((range.isCut.below ? "≤ " : "") + Digits.short(range.low), at: bar.bottom)
        for value in AxisLabels.round(range.low, range.high, most: max(Int(height / 36), 2)) {
            guard let share = range.share(value) else { continue }
            let y = bar.bottom - share * height
            if y - bar.y >= 16, bar.bottom - y >= 16 { mark(Digits.short(value), at: y) }
        }
        var next = bar.bottom + 22
        if !drawing.plot.unit.isEmpty {
            canvas.text(AxisLabels.fit(drawing.plot.unit, 74, size: 11), at: Point(bar.x, next), small)
            next += 16
        }
        if range.hasMissing {
            canvas.rectangle(Area(bar.x, next - 9, 10, 10), .missing, opacity: 1, title: nil)
            canvas.text("no value", at: Point(bar.x + 14, next), small)
        }
    }

    private func draw<C: Canvas>(_ events: [V1.PluginTimedEvent], _ canvas: inout C) {
        let area = drawing.area
        let axis = array.axes[1]
        func place(_ time: Double) -> Double? {
            let x = area.x + ((time - axis.first) / axis.step + 0.5) / Double(array.columns) * area.width
            return x.isFinite ? min(max(x, area.x), area.right) : nil
        }
        var free = -1.0
        for event in events.prefix(Self.mostEvents) {
            guard let from = place(event.start), let to = place(event.end) else { continue }
            let mark = Area(from, area.y, max(to - from, 1.5), area.height)
            canvas.rectangle(mark, .paper, opacity: 0.22, title: event.label)
            canvas.line([Point(from, area.y), Point(from, area.bottom)], .paper, width: 1.2)
            guard from >= free else { continue }
            let text = AxisLabels.fit(event.label, max(to - from - 6, 60), size: 11)
            canvas.text(text, at: Point(from + 4, area.y + 14), TextStyle(size: 11, isBold: true, colour: .paper))
            free = from + StrokeFont.width(text, size: 11) + 10
        }
    }

    /// On the same time, from its least value at the bottom to its most at the top.
    private func draw<C: Canvas>(_ line: NumericArray, _ canvas: inout C) {
        let area = drawing.area
        let axis = array.axes[1]
        let finite = line.values.filter(\.isFinite)
        let range = RobustRange.full(finite.min() ?? 0, finite.max() ?? 1)
        var run: [Point] = []
        func end() {
            if run.count > 1 {
                canvas.line(run, .ink, width: 3)
                canvas.line(run, .paper, width: 1.6)
            }
            run = []
        }
        for index in line.values.indices {
            let time = line.axes[0].value(Double(index))
            let x = area.x + ((time - axis.first) / axis.step + 0.5) / Double(array.columns) * area.width
            guard let share = range.share(line.values[index]), x >= area.x, x <= area.right else {
                end()
                continue
            }
            run.append(Point(x, area.bottom - 4 - share * (area.height - 8)))
        }
        end()
    }
}

extension RobustRange {
    /// All of two ends.
    static func full(_ low: Double, _ high: Double) -> RobustRange { RobustRange([low, high]) }
}
