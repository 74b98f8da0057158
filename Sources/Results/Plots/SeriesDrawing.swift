import Drawing
import Palette

/// Bars and lines: values over positions.
struct SeriesDrawing {
    static let mostSeries = 8
    /// Denser values are drawn as the range of each pixel's.
    private static let dense = 1500

    let drawing: PlotDrawing
    let axis: ArrayAxis
    let series: ArraySlice<Plot.Series>
    let scale: ValueScale
    let isBars: Bool
    private var area: Area { drawing.area }

    private func y(_ value: Double) -> Double { area.bottom - scale.share(value) * area.height }

    private func x(_ position: Double) -> Double {
        if isBars { return area.x + (position + 0.5) / Double(max(axis.count, 1)) * area.width }
        return area.x + (axis.count > 1 ? position / Double(axis.count - 1) : 0.5) * area.width
    }

    func draw(_ canvas: Canvas) {
        for mark in scale.marks {
            let y = y(mark.value)
            canvas.line([Point(area.x, y), Point(area.right, y)], mark.value == 0 ? .muted : .rule, width: 1)
            drawing.labels.drawLabel(mark.text, at: y, canvas)
        }
        canvas.text(scale.unit, at: Point(6 + scale.unit.baseline, area.middle.y), .middle, isTurned: true)
        for index in series.indices {
            if isBars { bars(index, canvas) } else { line(index, canvas) }
        }
        drawing.labels.drawAcross(canvas, place: x)
        drawing.legend?.draw(beside: area, canvas)
        if !series.contains(where: { $0.values.contains(where: \.isFinite) }) {
            canvas.text(Text("no values", AxisLabels.style), at: area.middle, .middle)
        }
    }

    private func bars(_ index: Int, _ canvas: Canvas) {
        let values = series[index].values
        guard values.count <= Self.dense else { return envelope(index, canvas) }
        let slot = area.width / Double(max(axis.count, 1))
        let used = slot > 3 ? slot * 0.8 : slot
        let width = used / Double(series.count)
        for (position, value) in values.enumerated() where !value.isNaN {
            let left = x(Double(position)) - used / 2 + Double(index) * width
            let top = min(y(value), y(0))
            let bar = Area(left, top, max(width - (slot > 12 ? 0.5 : 0), 0.4), max(abs(y(value) - y(0)), 0.5))
            let name = series[index].name.isEmpty ? "" : " · " + series[index].name
            canvas.fill(bar, .series(index), note: "\(axis.label(position))\(name): \(Digits.short(value))")
        }
    }

    private func line(_ index: Int, _ canvas: Canvas) {
        let values = series[index].values
        guard values.count <= Self.dense else { return envelope(index, canvas) }
        // A place without a value is a gap.
        for run in values.indices.split(whereSeparator: { values[$0].isNaN }) {
            canvas.line(run.map { Point(x(Double($0)), y(values[$0])) }, .series(index), width: 1.6)
        }
    }

    /// The least and the most of the values that share a pixel.
    private func envelope(_ index: Int, _ canvas: Canvas) {
        let values = series[index].values
        let columns = max(Int(area.width), 1)
        for column in 0..<columns {
            let from = column * values.count / columns
            let part = values[from..<max((column + 1) * values.count / columns, from + 1)].filter { !$0.isNaN }
            guard var least = part.min(), var most = part.max() else { continue }
            if isBars { (least, most) = (min(least, 0), max(most, 0)) }
            let top = y(most)
            canvas.fill(Area(area.x + Double(column), top, 1, max(y(least) - top, 1.2)), .series(index))
        }
    }
}
