import Drawing
import Messages

/// Where everything of a plot stands.
struct PlotDrawing {
    /// The widest picture; small heat maps are narrower.
    private static let widest = 720.0
    private static let mostHeight = 560.0
    private static let titleStyle = TextStyle(size: 15, isBold: true)

    let plot: Plot
    /// Where the data is.
    let area: Area
    let across: ArrayAxis
    let labels: AxisLabels
    /// Of heat maps.
    private(set) var scale: ColourScale?
    /// Of bars and lines.
    private(set) var legend: Legend?
    private let title: Text
    private let width: Double
    private let draw: (PlotDrawing, Canvas) -> Void

    init(_ plot: Plot) {
        self.plot = plot
        title = Text(plot.title, Self.titleStyle, within: Self.widest - 24)
        let top = 12 + title.height + 14
        func place(_ left: Double, _ width: Double, _ height: Double) -> Area {
            Area(left.rounded(), top.rounded(), width.rounded(), height.rounded())
        }
        var down = ArrayAxis(count: 0)
        let left: Double
        let spacing: Double
        switch plot.kind {
        case .heatMap(let array, let upward, let events, let line):
            down = array.axes[0]
            across = array.axes[1]
            left = AxisLabels.leftMargin(down)
            let range = RobustRange(array.values)
            let scale = ColourScale(range, unit: plot.unit)
            let size = Self.heatMapSize(array, upward: upward, room: Self.widest - left - scale.width)
            area = place(left, size.width, size.height)
            spacing = area.width / Double(max(across.count, 1))
            self.scale = scale
            width = min(Self.widest, max(area.right + scale.width, title.width + 36))
            draw = { drawing, canvas in
                HeatMapDrawing(drawing: drawing, array: array, upward: upward, range: range).draw(events, line, canvas)
            }
        case .bars(let axis, let series), .lines(let axis, let series):
            let isBars = if case .bars = plot.kind { true } else { false }
            across = axis
            let shown = series.prefix(SeriesDrawing.mostSeries)
            let values = ValueScale(shown.flatMap(\.values), isFromZero: isBars, unit: plot.unit, height: 280)
            let legend = Legend(shown.map(\.name), hidden: series.count - shown.count)
            left = max(values.width, 30)
            area = place(left, Self.widest - left - legend.width, 280)
            spacing = area.width / Double(max(isBars ? across.count : across.count - 1, 1))
            self.legend = legend
            width = Self.widest
            draw = { drawing, canvas in
                SeriesDrawing(drawing: drawing, axis: axis, series: shown, scale: values, isBars: isBars).draw(canvas)
            }
        case .timeline(let events):
            across = TimelineDrawing.axis(of: events)
            left = 24
            area = place(left, Self.widest - 48, TimelineDrawing.height(of: events))
            spacing = area.width
            width = Self.widest
            draw = { TimelineDrawing(drawing: $0, events: events).draw($1) }
        }
        labels = AxisLabels(area: area, down: down, across: across, spacing: spacing, leftMargin: left)
    }

    /// Square cells, unless the picture would be a strip; rows with names are as high as their names, where that is possible.
    private static func heatMapSize(
        _ array: NumericArray, upward: Bool, room: Double
    ) -> (width: Double, height: Double) {
        guard !upward else { return (room, 240) }
        let cell = min(room / Double(max(array.columns, 1)), 48)
        let least = array.axes[0].labels.isEmpty ? 60 : max(60, min(15 * Double(array.rows), mostHeight))
        let height = min(max(cell * Double(array.rows), least), mostHeight)
        let square = array.rows > 0 ? height * Double(array.columns) / Double(array.rows) : room
        return (min(room, max(min(cell * Double(array.columns), square), 240)), height)
    }

    var picture: Picture {
        Picture(title: plot.title, width: width, height: area.bottom + labels.bottomMargin) { canvas in
            canvas.text(title, at: Point(12, 12 + title.baseline))
            draw(self, canvas)
        }
    }
}

extension Plot {
    /// Drawn, for any format. It can be drawn several times, on the thread that made it.
    package var picture: Picture { PlotDrawing(self).picture }
}
