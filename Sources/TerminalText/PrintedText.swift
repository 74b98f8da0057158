/// Text from a plugin or a file, as it may be written to a terminal.
package enum PrintedText {
    /// Without what a terminal would obey: control characters (an escape sequence could rewrite the screen) and marks
    /// that turn the direction of what follows become U+FFFD.
    package static func safe(_ text: String, keepingLines: Bool = false) -> String {
        var out = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if keepingLines, scalar == "\n" || scalar == "\t" {
                out.append(scalar)
            } else {
                out.append(isHarmful(scalar) ? "\u{FFFD}" : scalar)
            }
        }
        return String(out)
    }

    private static func isHarmful(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x200E, 0x200F, 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }

    /// Columns of a terminal that it takes.
    package static func width(_ text: String) -> Int { TextWidth.columns(text) }

    /// At most `columns` wide, with `…` where something was cut.
    package static func cut(_ text: String, to columns: Int) -> String {
        guard width(text) > columns else { return text }
        return fitting(text, columns - 1) + "…"
    }

    /// The same, but it is the end that stays: of names that begin alike.
    package static func cutBeginning(of text: String, to columns: Int) -> String {
        guard width(text) > columns else { return text }
        return "…" + String(fitting(String(text.reversed()), columns - 1).reversed())
    }

    /// The first characters that take no more than so many columns.
    private static func fitting(_ text: String, _ columns: Int) -> String {
        var out = ""
        var used = 0
        for character in text {
            let next = TextWidth.columns(character)
            if used + next > columns { break }
            out.append(character)
            used += next
        }
        return out
    }

    package static func pad(_ text: String, to columns: Int, right: Bool = false) -> String {
        let blank = String(repeating: " ", count: max(columns - width(text), 0))
        return right ? blank + text : text + blank
    }
}
