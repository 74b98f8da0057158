/// How many columns of a terminal text takes.
///
/// As the C library's `wcwidth` counts scalars, from the same tables of Unicode (UAX #11 and general categories), with emoji as UAX #11
/// has them: a sequence that is one picture takes two columns.
enum TextWidth {
    static func columns(_ text: String) -> Int { text.reduce(0) { $0 + columns($1) } }

    static func columns(_ character: Character) -> Int {
        let scalars = character.unicodeScalars
        guard let first = scalars.first else { return 0 }
        // Most text is ASCII.
        if scalars.count == 1, first.isASCII { return first.value < 0x20 || first.value == 0x7F ? 0 : 1 }
        if isPicture(first, scalars) { return 2 }
        return scalars.reduce(0) { $0 + columns($1) }
    }

    /// Whether scalars that belong together are drawn as an emoji: it is one by itself, by the selector U+FE0F, or with another one.
    private static func isPicture(_ first: Unicode.Scalar, _ scalars: Character.UnicodeScalarView) -> Bool {
        guard first.properties.isEmoji else { return false }
        // A lone regional indicator is a letter in a box; two are a flag.
        if (0x1F1E6...0x1F1FF).contains(first.value) { return scalars.count > 1 }
        if first.properties.isEmojiPresentation { return !scalars.contains("\u{FE0E}") }
        return scalars.contains { $0 == "\u{FE0F}" || $0 == "\u{20E3}" || $0.properties.isEmojiModifier }
    }

    private static func columns(_ scalar: Unicode.Scalar) -> Int {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .control, .lineSeparator, .paragraphSeparator: return 0
        // The soft hyphen is shown, and so are signs around numbers.
        case .format: return scalar == "\u{AD}" || prefixes.contains(scalar.value) ? 1 : 0
        default: break
        }
        // The second and third letters of a Korean syllable join the first.
        if (0x1160...0x11FF).contains(scalar.value) || (0xD7B0...0xD7FB).contains(scalar.value) { return 0 }
        return isWide(scalar.value) ? 2 : 1
    }

    /// Prepended_Concatenation_Mark: the signs of formatting that enclose the digits after them.
    private static let prefixes: Set<UInt32> = [
        0x600, 0x601, 0x602, 0x603, 0x604, 0x605, 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD,
    ]

    /// Binary search.
    private static func isWide(_ value: UInt32) -> Bool {
        var low = 0
        var high = WideScalars.ranges.count
        while low < high {
            let middle = (low + high) / 2
            let range = WideScalars.ranges[middle]
            if range.contains(value) { return true }
            if value < range.lowerBound { high = middle } else { low = middle + 1 }
        }
        return false
    }
}
