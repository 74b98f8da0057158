/// Text from a plugin or a file, as it may stand in a picture.
enum PrintableText {
    /// One line: tabs and ends of lines become blanks, other control characters and what XML does not allow U+FFFD.
    /// - Parameter most: characters that are kept; "…" stands for the rest.
    static func line(_ text: String, most: Int = .max) -> String {
        var out = String.UnicodeScalarView()
        let kept = text.prefix(most)
        for scalar in kept.unicodeScalars {
            switch scalar {
            case "\t", "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}": out.append(" ")
            case "\u{0}"..<"\u{20}", "\u{7F}"..<"\u{A0}", "\u{FFFE}", "\u{FFFF}": out.append("\u{FFFD}")
            default: out.append(scalar)
            }
        }
        if kept.endIndex < text.endIndex { out.append("…") }
        return String(out)
    }
}
