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
    package static func width(_ text: String) -> Int { text.reduce(0) { $0 + width($1) } }

    private static func width(_ character: Character) -> Int {
        guard let scalar = character.unicodeScalars.first else { return 0 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: break
        }
        if scalar.properties.isEmojiPresentation { return 2 }
        switch scalar.value {
        // East Asian wide and full-width forms.
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97C, 0xAC00...0xD7A3, 0xF900...0xFAFF,
            0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x20000...0x3FFFD:
            return 2
        default: return 1
        }
    }

    /// At most `columns` wide, with `…` where something was cut.
    package static func cut(_ text: String, to columns: Int) -> String {
        guard width(text) > columns else { return text }
        var out = ""
        var used = 0
        for character in text {
            let next = width(character)
            if used + next > columns - 1 { break }
            out.append(character)
            used += next
        }
        return out + "…"
    }

    package static func pad(_ text: String, to columns: Int, right: Bool = false) -> String {
        let blank = String(repeating: " ", count: max(columns - width(text), 0))
        return right ? blank + text : text + blank
    }
}
