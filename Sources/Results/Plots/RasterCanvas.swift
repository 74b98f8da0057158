import Palette

/// Pixels, drawn here: rectangles, lines with soft edges, and text in ``StrokeFont``.
///
/// The alternative was librsvg; it brings cairo, pango and glib into a program that is one file, and its text depends on
/// the fonts of the machine. What plots need of it is this file.
struct RasterCanvas: Canvas {
    let width: Int
    let height: Int
    /// Pixels of the picture for a unit of the plot: sharp on dense screens and in print.
    private let scale: Double
    /// Red, green, blue; rows from above.
    private(set) var pixels: [UInt8]

    init(width: Double, height: Double, scale: Double = 2) {
        self.scale = scale
        self.width = max(Int((width * scale).rounded(.up)), 1)
        self.height = max(Int((height * scale).rounded(.up)), 1)
        pixels = [UInt8](repeating: 255, count: self.width * self.height * 3)
    }

    private mutating func blend(_ x: Int, _ y: Int, _ colour: Colour, _ coverage: Double) {
        let at = (y * width + x) * 3
        func mix(_ below: UInt8, _ above: UInt8) -> UInt8 {
            UInt8((Double(below) + (Double(above) - Double(below)) * coverage).rounded())
        }
        pixels[at] = mix(pixels[at], colour.red)
        pixels[at + 1] = mix(pixels[at + 1], colour.green)
        pixels[at + 2] = mix(pixels[at + 2], colour.blue)
    }

    /// Pixels from `low` to `high` of a side of `count`; empty where they lie outside.
    private func span(_ low: Double, _ high: Double, _ count: Int) -> Range<Int> {
        guard low.isFinite, high.isFinite else { return 0..<0 }
        let from = Int(min(max(low.rounded(.down), 0), Double(count)))
        return from..<max(Int(min(max(high.rounded(.up), 0), Double(count))), from)
    }

    mutating func rectangle(_ area: Area, _ colour: Colour, opacity: Double, title: String?) {
        let left = area.x * scale, right = area.right * scale, top = area.y * scale, bottom = area.bottom * scale
        let columns = span(left, right, width)
        for y in span(top, bottom, height) {
            let down = min(bottom, Double(y + 1)) - max(top, Double(y))
            for x in columns {
                blend(x, y, colour, max(min(right, Double(x + 1)) - max(left, Double(x)), 0) * max(down, 0) * opacity)
            }
        }
    }

    mutating func line(_ points: [Point], _ colour: Colour, width: Double) {
        stroke([points.map { Point($0.x * scale, $0.y * scale) }], colour, radius: width * scale / 2)
    }

    mutating func text(_ text: String, at point: Point, _ style: TextStyle) {
        let whole = StrokeFont.width(text, size: style.size)
        let before = style.anchor == .start ? 0 : style.anchor == .middle ? whole / 2 : whole
        let strokes = StrokeFont.strokes(text, size: style.size).map { stroke in
            stroke.map { spot in
                let x = spot.x - before
                let turned = style.isTurned ? Point(spot.y, -x) : Point(x, spot.y)
                return Point((point.x + turned.x) * scale, (point.y + turned.y) * scale)
            }
        }
        stroke(strokes, style.colour, radius: style.size * scale * (style.isBold ? 0.065 : 0.043))
    }

    /// Lines with round ends. Where they cross, a pixel is covered once.
    private mutating func stroke(_ lines: [[Point]], _ colour: Colour, radius: Double) {
        let points = lines.joined().filter { $0.x.isFinite && $0.y.isFinite }
        guard let left = points.map(\.x).min(), let right = points.map(\.x).max(),
            let top = points.map(\.y).min(), let bottom = points.map(\.y).max()
        else { return }
        let margin = radius + 1
        let columns = span(left - margin, right + margin, width)
        let rows = span(top - margin, bottom + margin, height)
        guard !columns.isEmpty, !rows.isEmpty else { return }
        var coverage = [Float](repeating: 0, count: columns.count * rows.count)
        for line in lines {
            for index in line.indices {
                let a = line[index], b = line[min(index + 1, line.count - 1)]
                if index + 1 == line.count, line.count > 1 { break }
                for y in span(min(a.y, b.y) - margin, max(a.y, b.y) + margin, height).clamped(to: rows) {
                    for x in span(min(a.x, b.x) - margin, max(a.x, b.x) + margin, width).clamped(to: columns) {
                        let near = Self.distance(Point(Double(x) + 0.5, Double(y) + 0.5), a, b)
                        let covered = Float(min(max(radius + 0.5 - near, 0), 1))
                        let place = (y - rows.lowerBound) * columns.count + x - columns.lowerBound
                        coverage[place] = max(coverage[place], covered)
                    }
                }
            }
        }
        for y in rows {
            for x in columns {
                let covered = coverage[(y - rows.lowerBound) * columns.count + x - columns.lowerBound]
                if covered > 0 { blend(x, y, colour, Double(covered)) }
            }
        }
    }

    /// From a point to the line between two others.
    private static func distance(_ point: Point, _ a: Point, _ b: Point) -> Double {
        let dx = b.x - a.x, dy = b.y - a.y
        let length = dx * dx + dy * dy
        let along = length == 0 ? 0 : min(max(((point.x - a.x) * dx + (point.y - a.y) * dy) / length, 0), 1)
        let x = a.x + along * dx - point.x, y = a.y + along * dy - point.y
        return (x * x + y * y).squareRoot()
    }

    mutating func image(_ array: NumericArray, _ range: RobustRange, in area: Area, upward: Bool) {
        // Where values are denser than pixels, a pixel is the mean of its values.
        let fewer = array.shrunk(rows: max(Int(area.height * scale), 1), columns: max(Int(area.width * scale), 1))
        guard fewer.rows > 0, fewer.columns > 0 else { return }
        let indices = fewer.colourIndices(range, upward: upward)
        let columns = span(area.x * scale + 0.5, area.right * scale - 0.5, width)
        for y in span(area.y * scale + 0.5, area.bottom * scale - 0.5, height) {
            let down = (Double(y) + 0.5 - area.y * scale) / (area.height * scale)
            let row = min(max(Int(down * Double(fewer.rows)), 0), fewer.rows - 1)
            for x in columns {
                let across = (Double(x) + 0.5 - area.x * scale) / (area.width * scale)
                let column = min(max(Int(across * Double(fewer.columns)), 0), fewer.columns - 1)
                let index = Int(indices[row * fewer.columns + column])
                blend(x, y, index == 255 ? .missing : ColourMap.table[index], 1)
            }
        }
    }

    var png: [UInt8] { PNG.rgb(pixels, width: width, height: height) }
}
