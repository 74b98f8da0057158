/// Text inside of XML and HTML.
package enum Markup {
    /// As elements and attributes take it. It becomes one line; what XML does not allow at all becomes U+FFFD.
    package static func escaped(_ text: String) -> String {
        var out = String.UnicodeScalarView()
        for scalar in PrintableText.line(text).unicodeScalars {
            switch scalar {
            case "&": out.append(contentsOf: "&amp;".unicodeScalars)
            case "<": out.append(contentsOf: "&lt;".unicodeScalars)
            case ">": out.append(contentsOf: "&gt;".unicodeScalars)
            case "\"": out.append(contentsOf: "&quot;".unicodeScalars)
            case "'": out.append(contentsOf: "&#39;".unicodeScalars)
            default: out.append(scalar)
            }
        }
        return String(out)
    }
}
