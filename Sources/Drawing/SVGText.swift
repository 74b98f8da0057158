/// What cairo's SVG lacks: what the picture is called, what its letters spell, and what is said where a pointer rests.
enum SVGText {
    /// - Parameters:
    ///   - bytes: cairo's.
    ///   - texts: all that is written in the picture.
    static func completed(_ bytes: [UInt8], title: String, marks: [Canvas.Mark], texts: [String]) -> [UInt8] {
        let svg = SVGNames.numbered(bytes)
        guard let opening = firstIndex(of: "<svg", in: svg),
            let head = svg[opening...].firstIndex(of: UInt8(ascii: ">")),
            let tail = svg.lastIndex(of: UInt8(ascii: "<")), svg[tail...].starts(with: "</svg>".utf8)
        else { return bytes }
        let words = texts.map(Markup.escaped).joined(separator: "\n")
        var out = Array(svg[...head])
        out += "\n<title>\(Markup.escaped(title))</title>\n<desc>\(words)</desc>".utf8
        out += svg[(head + 1)..<tail]
        for mark in marks { out += element(mark).utf8 }
        return out + svg[tail...]
    }

    private static func element(_ mark: Canvas.Mark) -> String {
        let (x, y) = (number(mark.area.x), number(mark.area.y))
        let (width, height) = (number(mark.area.width), number(mark.area.height))
        return "<rect x=\"\(x)\" y=\"\(y)\" width=\"\(width)\" height=\"\(height)\" fill-opacity=\"0\">"
            + "<title>\(Markup.escaped(mark.text))</title></rect>\n"
    }

    private static func firstIndex(of text: String, in bytes: [UInt8]) -> Int? {
        bytes.indices.first { bytes[$0...].starts(with: text.utf8) }
    }

    private static func number(_ value: Double) -> String { "\((value * 100).rounded() / 100)" }
}
