/// Cuts text into the pieces that byte pairs are merged within, as GPT-2 does.
///
/// The pieces are the matches, from left to right, of
///
///     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
///
/// where the first alternative that matches wins. Together they cover the whole text. Written by hand,
/// because Swift's regular expressions work on grapheme clusters and are slow on scalars.
struct PreTokenizer {
    private enum Kind { case letter, number, space, other }

    /// Calls `body` with each piece, as a range of `text`'s UTF-8 bytes.
    static func forEachPiece(of text: String, _ body: (Range<Int>) -> Void) {
        let scalars = Array(text.unicodeScalars)
        let kinds = scalars.map(kind)
        var start = 0
        var offset = 0
        while start < scalars.count {
            let end = pieceEnd(from: start, scalars, kinds)
            let bytes = scalars[start..<end].reduce(0) { $0 + UTF8.width($1) }
            body(offset..<offset + bytes)
            offset += bytes
            start = end
        }
    }

    private static func pieceEnd(from start: Int, _ scalars: [Unicode.Scalar], _ kinds: [Kind]) -> Int {
        if let end = contractionEnd(from: start, scalars) { return end }
        let hasSpace = scalars[start] == " " && start + 1 < scalars.count && kinds[start + 1] != .space
        let first = hasSpace ? start + 1 : start
        let end = runEnd(from: first, kinds)
        guard kinds[first] == .space else { return end }
        // White space before a word leaves its last character to the word.
        return end == scalars.count || end - start == 1 ? end : end - 1
    }

    private static func runEnd(from start: Int, _ kinds: [Kind]) -> Int {
        kinds[start...].firstIndex { $0 != kinds[start] } ?? kinds.count
    }

    private static func contractionEnd(from start: Int, _ scalars: [Unicode.Scalar]) -> Int? {
        guard scalars[start] == "'", start + 1 < scalars.count else { return nil }
        switch scalars[start + 1] {
        case "s", "t", "m", "d": return start + 2
        case "r", "v": return start + 2 < scalars.count && scalars[start + 2] == "e" ? start + 3 : nil
        case "l": return start + 2 < scalars.count && scalars[start + 2] == "l" ? start + 3 : nil
        default: return nil
        }
    }

    private static func kind(of scalar: Unicode.Scalar) -> Kind {
        switch scalar {
        case "a"..."z", "A"..."Z": return .letter
        case "0"..."9": return .number
        default: break
        }
        if scalar.properties.isWhitespace { return .space }
        // tiktoken's tables are those of Unicode 16; letters that came later are no letters to it.
        if let age = scalar.properties.age, age.major > 16 { return .other }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: return .letter
        case .decimalNumber, .letterNumber, .otherNumber: return .number
        default: return .other
        }
    }
}
