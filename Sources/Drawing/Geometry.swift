/// A place in a picture, in units from the upper left corner. A unit is a CSS pixel: 1/96 inch.
package struct Point: Equatable, Sendable {
    package var x: Double
    package var y: Double
    package init(_ x: Double, _ y: Double) { (self.x, self.y) = (x, y) }

    var isFinite: Bool { x.isFinite && y.isFinite }
}

/// A rectangle, in the same units.
package struct Area: Equatable, Sendable {
    package var x: Double
    package var y: Double
    package var width: Double
    package var height: Double
    package init(_ x: Double, _ y: Double, _ width: Double, _ height: Double) {
        (self.x, self.y, self.width, self.height) = (x, y, width, height)
    }
    package var right: Double { x + width }
    package var bottom: Double { y + height }
    package var middle: Point { Point(x + width / 2, y + height / 2) }

    var isFinite: Bool { x.isFinite && y.isFinite && width.isFinite && height.isFinite }
}
