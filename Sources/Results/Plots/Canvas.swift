import Palette

/// What a plot is drawn on. Coordinates are in pixels of the picture, from the upper left corner.
protocol Canvas {
    /// - Parameter title: what stands for the mark where a pointer rests on it; nil for none.
    mutating func rectangle(_ area: Area, _ colour: Colour, opacity: Double, title: String?)
    mutating func line(_ points: [Point], _ colour: Colour, width: Double)
    /// - Parameter point: where the text's baseline begins, has its middle, or ends.
    mutating func text(_ text: String, at point: Point, _ style: TextStyle)
    /// One pixel for each value: the colour map's index, or 255 for no value.
    mutating func image(_ array: NumericArray, _ range: RobustRange, in area: Area, upward: Bool)
}

struct Point: Equatable {
    var x: Double
    var y: Double
    init(_ x: Double, _ y: Double) { (self.x, self.y) = (x, y) }
}

struct Area: Equatable {
    var x: Double
    var y: Double
    var width: Double
    var height: Double
    init(_ x: Double, _ y: Double, _ width: Double, _ height: Double) {
        (self.x, self.y, self.width, self.height) = (x, y, width, height)
    }
    var right: Double { x + width }
    var bottom: Double { y + height }
}

struct TextStyle {
    enum Anchor: String { case start, middle, end }
    var size = 12.0
    var anchor = Anchor.start
    /// Reading upwards.
    var isTurned = false
    var isBold = false
    var colour = Colour.ink
}

extension NumericArray {
    /// The colour map's indices, row by row from above, or from below where the picture counts upward.
    func colourIndices(_ range: RobustRange, upward: Bool) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(values.count)
        for row in 0..<rows {
            let source = upward ? rows - 1 - row : row
            for column in 0..<columns {
                let share = range.share(values[source * columns + column])
                out.append(share.map { UInt8(ColourMap.index($0)) } ?? 255)
            }
        }
        return out
    }
}
