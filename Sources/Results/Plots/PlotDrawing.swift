import Messages

/// Where everything of a plot stands, the same for every canvas.
struct PlotDrawing {
    /// The widest picture; small heat maps are narrower.
    private static let widest = 720.0
    private static let mostHeight = 560.0
    private static let top = 44.0

    let plot: Plot
    /// The picture's size.
    let width, height: Double
    /// Where the data is.
    let area: Area
    let labels: AxisLabels

    init(_ plot: Plot) {
        self.plot = plot
        var wanted = 280.0
        var width = Self.widest
        var right = 24.0
        var down = Axis(count: 0)
        var across = Axis(count: 0)
        switch plot.kind {
        case .heatMap(let array, let upward, _, _):
            down = array.axes[0]
            across = array.axes[1]
            right = 96
            let left = AxisLabels.leftMargin(down)
            width = Self.widest - left - right
            // Square cells, unless the picture would be a strip.
            let cell = min(width / Double(max(array.columns, 1)), 48)
            // Rows with names are as high as their names, where that is possible.
            let least = down.labels.isEmpty ? 60 : max(60, min(13.5 * Double(array.rows), Self.mostHeight))
            wanted = upward ? 240 : min(max(cell * Double(array.rows), least), Self.mostHeight)
            let fitted = cell * Double(array.columns)
            let square = array.rows > 0 && !upward ? wanted * Double(array.columns) / Double(array.rows) : width
            width = min(width, max(min(fitted, square), 240))
        case .bars(let axis, let series), .lines(let axis, let series):
            across = axis
            right = series.count > 1 ? 150 : 24
            width = Self.widest - 64 - right
        case .timeline(let events):
            across = Axis(name: "time", unit: "s", count: 0)
            wanted = TimelineDrawing.height(of: events)
            width = Self.widest - 48 - right
        }
        let left: Double
        switch plot.kind {
        case .heatMap: left = AxisLabels.leftMargin(down)
        case .timeline: left = 48
        default: left = 64
        }
        area = Area(left, Self.top, width, wanted)
        labels = AxisLabels(area: area, down: down, across: across)
        height = area.bottom + labels.bottomMargin
        if case .heatMap = plot.kind {
            let title = StrokeFont.width(plot.title, size: 15) + 36
            self.width = min(Self.widest, max(area.right + right, title.rounded(.up)))
        } else {
            self.width = Self.widest
        }
    }

    func draw<C: Canvas>(on canvas: inout C) {
        let fitted = AxisLabels.fit(plot.title, Self.widest - 24, size: 15)
        canvas.text(fitted, at: Point(12, 24), TextStyle(size: 15, isBold: true))
        switch plot.kind {
        case .heatMap(let array, let upward, let events, let line):
            HeatMapDrawing(drawing: self, array: array, upward: upward).draw(events, line, &canvas)
        case .bars(let axis, let series): SeriesDrawing(self, axis, series, isBars: true).draw(&canvas)
        case .lines(let axis, let series): SeriesDrawing(self, axis, series, isBars: false).draw(&canvas)
        case .timeline(let events): TimelineDrawing(drawing: self, events: events).draw(&canvas)
        }
    }
}

extension Plot {
    package var svg: String {
        let drawing = PlotDrawing(self)
        var canvas = SVGCanvas(width: drawing.width, height: drawing.height)
        drawing.draw(on: &canvas)
        return canvas.text
    }

    package var png: [UInt8] {
        let drawing = PlotDrawing(self)
        var canvas = RasterCanvas(width: drawing.width, height: drawing.height)
        drawing.draw(on: &canvas)
        return canvas.png
    }
}
