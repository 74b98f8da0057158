import Foundation
import Palette

/// SVG 1.1 text. Fonts are the reader's own.
struct SVGCanvas: Canvas {
    private let width: Double
    private let height: Double
    private var body = ""

    init(width: Double, height: Double) {
        self.width = width
        self.height = height
    }

    var text: String {
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" \
        width="\(number(width))" height="\(number(height))" viewBox="0 0 \(number(width)) \(number(height))" \
        font-family="system-ui, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif">
        <rect width="100%" height="100%" fill="#ffffff"/>
        \(body)</svg>

        """
    }

    mutating func rectangle(_ area: Area, _ colour: Colour, opacity: Double, title: String?) {
        body += "<rect x=\"\(number(area.x))\" y=\"\(number(area.y))\" width=\"\(number(max(area.width, 0)))\""
        body += " height=\"\(number(max(area.height, 0)))\" fill=\"\(colour.hex)\""
        if opacity < 1 { body += " fill-opacity=\"\(number(opacity))\"" }
        body += title.map { "><title>\(Self.escaped($0))</title></rect>\n" } ?? "/>\n"
    }

    mutating func line(_ points: [Point], _ colour: Colour, width: Double) {
        let list = points.map { "\(number($0.x)),\(number($0.y))" }.joined(separator: " ")
        body += "<polyline points=\"\(list)\" fill=\"none\" stroke=\"\(colour.hex)\" stroke-width=\"\(number(width))\""
        body += " stroke-linejoin=\"round\" stroke-linecap=\"round\"/>\n"
    }

    mutating func text(_ text: String, at point: Point, _ style: TextStyle) {
        body += "<text x=\"\(number(point.x))\" y=\"\(number(point.y))\" font-size=\"\(number(style.size))\""
        body += " fill=\"\(style.colour.hex)\" text-anchor=\"\(style.anchor.rawValue)\""
        if style.isBold { body += " font-weight=\"600\"" }
        if style.isTurned { body += " transform=\"rotate(-90 \(number(point.x)) \(number(point.y)))\"" }
        body += ">\(Self.escaped(text))</text>\n"
    }

    mutating func image(_ array: NumericArray, _ range: RobustRange, in area: Area, upward: Bool) {
        guard array.rows > 0, array.columns > 0 else { return }
        let indices = array.colourIndices(range, upward: upward)
        let png = Data(PNG.heatMap(indices, width: array.columns, height: array.rows)).base64EncodedString()
        // Values larger than a pixel have sharp edges; smaller ones are better smoothed.
        let isCoarse = Double(array.columns) <= area.width && Double(array.rows) <= area.height
        body += "<image x=\"\(number(area.x))\" y=\"\(number(area.y))\" width=\"\(number(area.width))\""
        body += " height=\"\(number(area.height))\" preserveAspectRatio=\"none\""
        if isCoarse { body += " style=\"image-rendering:pixelated\"" }
        body += " xlink:href=\"data:image/png;base64,\(png)\"/>\n"
    }

    private func number(_ value: Double) -> String {
        guard value.isFinite else { return "0" }
        let rounded = (value * 100).rounded() / 100
        return rounded == rounded.rounded() && abs(rounded) < 1e9 ? String(Int(rounded)) : "\(rounded)"
    }

    /// As XML's text and attributes take it: what XML does not allow at all becomes U+FFFD.
    static func escaped(_ text: String) -> String {
        var out = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": out.append(contentsOf: "&amp;".unicodeScalars)
            case "<": out.append(contentsOf: "&lt;".unicodeScalars)
            case ">": out.append(contentsOf: "&gt;".unicodeScalars)
            case "\"": out.append(contentsOf: "&quot;".unicodeScalars)
            case "'": out.append(contentsOf: "&#39;".unicodeScalars)
            case "\t", "\n", "\r": out.append(" ")
            case "\u{0}"..<"\u{20}", "\u{FFFE}", "\u{FFFF}": out.append("\u{FFFD}")
            default: out.append(scalar)
            }
        }
        return String(out)
    }
}
