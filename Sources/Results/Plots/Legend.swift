import Drawing
import Palette

/// Which colour is which series, beside the plot; nothing for a single one.
struct Legend {
    private static let distance = 16.0
    private static let mark = 10.0
    private let names: [Text]
    private let rest: Text
    /// What it takes to the right of the plot.
    let width: Double

    /// - Parameter hidden: series that are not drawn.
    init(_ names: [String], hidden: Int) {
        let isNeeded = names.count > 1 || hidden > 0
        self.names = isNeeded ? names.map { Text($0, TextStyle(size: 11), within: 140) } : []
        rest = Text(hidden > 0 ? "\(hidden) more are not drawn" : "", AxisLabels.style)
        let widest = max((self.names.map(\.width).max() ?? 0) + Self.mark + 6, rest.width)
        width = isNeeded ? Self.distance + widest + 12 : 24
    }

    func draw(beside area: Area, _ canvas: Canvas) {
        let x = area.right + Self.distance
        var y = area.y
        for (index, name) in names.enumerated() {
            let middle = y + name.height / 2
            canvas.fill(Area(x, middle - Self.mark / 2, Self.mark, Self.mark), Colour.series(index))
            canvas.text(name, at: Point(x + Self.mark + 6, y + name.baseline))
            y += name.height + 4
        }
        canvas.text(rest, at: Point(x, y + rest.baseline))
    }
}

extension Colour {
    /// Of a series, from 0.
    static func series(_ index: Int) -> Colour { series[index % series.count] }
}
