import CPangoCairo
import Palette

/// Something that can be drawn: its size, and what draws it. The same for every format.
package struct Picture {
    /// Units of a side that a picture may have.
    package static let largestSide = 4096.0
    /// Pixels of a unit, where a format has pixels.
    package static let pixelsPerUnit = 2.0

    package let title: String
    package let width: Double
    package let height: Double
    let draw: (Canvas) -> Void

    /// - Parameters:
    ///   - title: what a file says of itself where its format has a place for that.
    ///   - width, height: in units; see ``Point``.
    ///   - draw: draws on white paper.
    package init(title: String, width: Double, height: Double, draw: @escaping (Canvas) -> Void) {
        self.title = title
        self.width = width.rounded(.up)
        self.height = height.rounded(.up)
        self.draw = draw
    }

    /// The bytes of a file. On one machine, the same picture gives the same bytes.
    /// - Throws: ``DrawingError`` where this machine has no fonts, the size is not 1 … 4096 units to a side, or cairo reports an
    ///   error.
    package func bytes(as format: PictureFormat) throws(DrawingError) -> [UInt8] {
        guard InstalledFonts.areThere else {
            throw DrawingError(
                "no picture can be drawn: fontconfig finds no fonts; install one, such as fonts-dejavu-core")
        }
        guard (1...Self.largestSide).contains(width), (1...Self.largestSide).contains(height) else {
            throw DrawingError(
                """
                a picture of \(width) × \(height) units cannot be drawn as \(format.rawValue.uppercased()); expected \
                1 to \(Int(Self.largestSide)) to a side
                """)
        }
        let output = OutputSurface(format, width: width, height: height, title: PrintableText.line(title))
        let canvas = Canvas(on: output.surface, width: width, height: height)
        canvas.fill(Area(0, 0, width, height), .paper)
        draw(canvas)
        try check(canvas.finish(), format)
        let bytes = try output.finish { status throws(DrawingError) in try check(status, format) }
        return format == .svg
            ? SVGText.completed(bytes, title: title, marks: canvas.marks, texts: canvas.texts.map(\.string)) : bytes
    }

    private func check(_ status: cairo_status_t, _ format: PictureFormat) throws(DrawingError) {
        guard status != CAIRO_STATUS_SUCCESS else { return }
        throw DrawingError(
            """
            the picture '\(title)' cannot be drawn as \(format.rawValue.uppercased()): cairo says \
            '\(String(cString: cairo_status_to_string(status)))'
            """)
    }
}
