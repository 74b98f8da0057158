/// Why a picture cannot be drawn. The sentence names the picture's format and what was wrong.
package struct DrawingError: Error, Equatable, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
}
