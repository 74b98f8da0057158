import Palette

/// Bars and lines: values over positions.
struct SeriesDrawing {
    private static let mostSeries = 8
    /// Denser values are drawn as the range of each pixel's.
    private static let dense = 1500

    private let drawing: PlotDrawing
    private let axis: Axis
    private let series: [Plot.Series]
    private let hidden: Int
    private let isBars: Bool
    private let low: Double
    private let high: Double
    private var area: Area { drawing.area }

    init(_ drawing: PlotDrawing, _ axis: Axis, _ series: [Plot.Series], isBars: Bool) {
        self.drawing = drawing
        self.axis = axis
        self.series = Array(series.prefix(Self.mostSeries))
        self.hidden = series.count - self.series.count
        self.isBars = isBars
        let finite = self.series.flatMap(\.values).filter(\.isFinite)
        var low = finite.min() ?? 0
        var high = finite.max() ?? 1
        // Bars stand on zero; a line that comes near it is drawn from there as well.
        if isBars || (low > 0 && low < high * 0.4) { low = min(low, 0) }
        if isBars { high = max(high, 0) }
        if low == high { (low, high) = (low - 0.5, high + 0.5) }
        let ticks = AxisLabels.round(low, high, most: 6)
        let step = ticks.count > 1 ? ticks[1] - ticks[0] : 0
        // The scale ends at a round value.
        if let last = ticks.last, last < high, (last + step).isFinite { high = last + step }
        if let first = ticks.first, first > low, (first - step).isFinite { low = first - step }
        self.low = low
        self.high = high
    }

    private func y(_ value: Double) -> Double {
        let share = (value / 2 - low / 2) / (high / 2 - low / 2)
        return area.bottom - (share.isFinite ? min(max(share, 0), 1) : share > 0 ? 1 : 0) * area.height
    }

    private func x(_ position: Double) -> Double {
        if isBars { return area.x + (position + 0.5) / Double(max(axis.count, 1)) * area.width }
        return area.x + (axis.count > 1 ? position / Double(axis.count - 1) : 0.5) * area.width
    }

    func draw<C: Canvas>(_ canvas: inout C) {
        let style = TextStyle(size: 11, anchor: .end, colour: .muted)
        for value in AxisLabels.round(low, high, most: 6) {
            canvas.line([Point(area.x, y(value)), Point(area.right, y(value))], value == 0 ? .muted : .rule, width: 1)
            canvas.text(Digits.short(value), at: Point(area.x - 7, y(value) + 4), style)
        }
        if !drawing.plot.unit.isEmpty {
            var unit = TextStyle(size: 12, anchor: .middle)
            unit.isTurned = true
            let text = AxisLabels.fit(drawing.plot.unit, area.height, size: 12)
            canvas.text(text, at: Point(16, area.y + area.height / 2), unit)
        }
        for index in series.indices {
            if isBars { bars(index, &canvas) } else { line(index, &canvas) }
        }
        drawing.labels.drawAcross(&canvas, place: x)
        legend(&canvas)
        if !series.contains(where: { $0.values.contains(where: \.isFinite) }) {
            let middle = Point(area.x + area.width / 2, area.y + area.height / 2)
            canvas.text("no values", at: middle, TextStyle(anchor: .middle, colour: .muted))
        }
    }

    private func bars<C: Canvas>(_ index: Int, _ canvas: inout C) {
        let colour = Colour.series[index % Colour.series.count]
        let values = series[index].values
        guard values.count <= Self.dense else { return envelope(values, colour, &canvas) }
        let slot = area.width / Double(max(axis.count, 1))
        let used = slot > 3 ? slot * 0.8 : slot
        let width = used / Double(series.count)
        for (position, value) in values.enumerated() where !value.isNaN {
            let left = x(Double(position)) - used / 2 + Double(index) * width
            let top = min(y(value), y(0))
            let bar = Area(left, top, max(width - (slot > 12 ? 0.5 : 0), 0.4), max(abs(y(value) - y(0)), 0.5))
            let name = series[index].name.isEmpty ? "" : " · " + series[index].name
            canvas.rectangle(
                bar, colour, opacity: 1, title: "\(axis.label(position))\(name): \(Digits.short(value))")
        }
    }

    private func line<C: Canvas>(_ index: Int, _ canvas: inout C) {
        let colour = Colour.series[index % Colour.series.count]
        let values = series[index].values
        guard values.count <= Self.dense else { return envelope(values, colour, &canvas) }
        var run: [Point] = []
        // A place without a value is a gap.
        for position in 0...values.count {
            if position < values.count, !values[position].isNaN {
                run.append(Point(x(Double(position)), y(values[position])))
            } else {
                if run.count == 1, let only = run.first { run.append(only) }
                if !run.isEmpty { canvas.line(run, colour, width: 1.6) }
                run = []
            }
        }
    }

    /// The least and the most of the values that share a pixel.
    private func envelope<C: Canvas>(_ values: [Double], _ colour: Colour, _ canvas: inout C) {
        let columns = max(Int(area.width), 1)
        for column in 0..<columns {
            let from = column * values.count / columns
            let part = values[from..<max((column + 1) * values.count / columns, from + 1)].filter { !$0.isNaN }
            guard var least = part.min(), var most = part.max() else { continue }
            if isBars { (least, most) = (min(least, 0), max(most, 0)) }
            let top = y(most)
            let mark = Area(area.x + Double(column), top, 1, max(y(least) - top, 1.2))
            canvas.rectangle(mark, colour, opacity: 1, title: nil)
        }
    }

    private func legend<C: Canvas>(_ canvas: inout C) {
        guard series.count > 1 || hidden > 0 else { return }
        for index in series.indices {
            let y = area.y + 8 + Double(index) * 18
            let mark = Area(area.right + 16, y - 8, 10, 10)
            canvas.rectangle(mark, Colour.series[index % Colour.series.count], opacity: 1, title: nil)
            canvas.text(
                AxisLabels.fit(series[index].name, 104, size: 11), at: Point(area.right + 32, y + 1),
                TextStyle(size: 11))
        }
        guard hidden > 0 else { return }
        let below = area.y + 10 + Double(series.count) * 18
        canvas.text(
            "\(hidden) more are not drawn", at: Point(area.right + 16, below), TextStyle(size: 11, colour: .muted))
    }
}
