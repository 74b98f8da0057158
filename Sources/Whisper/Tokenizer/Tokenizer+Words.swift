/// A word of a transcript and the tokens that spell it.
public struct WordTokens: Sendable, Equatable {
    public var word: String
    public var tokens: [Int]
}

extension Tokenizer {
    /// Groups `ids` into words, as openai/whisper's `split_to_word_tokens`.
    ///
    /// Languages that write no spaces are cut wherever the bytes so far are whole characters, all others
    /// before a space, a punctuation mark or a special token.
    public func splitToWordTokens(_ ids: [Int], language: String?) -> [WordTokens] {
        let unspaced: Set = ["zh", "ja", "th", "lo", "my", "yue"]
        if isMultilingual, let language, unspaced.contains(language) { return splitOnUnicode(ids) }
        return splitOnSpaces(ids)
    }

    func splitOnUnicode(_ ids: [Int]) -> [WordTokens] {
        let replacement: Unicode.Scalar = "\u{FFFD}"
        let whole = Array(decodeWithTimestamps(ids).unicodeScalars)
        var words: [WordTokens] = []
        var current: [Int] = []
        var offset = 0
        for id in ids {
            current.append(id)
            let text = decodeWithTimestamps(current)
            let scalars = Array(text.unicodeScalars)
            // A replacement character that the whole text has at the same place is not an unfinished one.
            if let broken = scalars.firstIndex(of: replacement) {
                guard offset + broken < whole.count, whole[offset + broken] == replacement else { continue }
            }
            words.append(WordTokens(word: text, tokens: current))
            current = []
            offset += scalars.count
        }
        return words
    }

    func splitOnSpaces(_ ids: [Int]) -> [WordTokens] {
        var words: [WordTokens] = []
        for part in splitOnUnicode(ids) {
            let isSpecial = part.tokens[0] >= endOfText
            let isPunctuation = asciiPunctuation.containsScalars(of: part.word.strippedOfWhitespace)
            if words.isEmpty || isSpecial || part.word.utf8.first == UInt8(ascii: " ") || isPunctuation {
                words.append(part)
            } else {
                words[words.count - 1].word += part.word
                words[words.count - 1].tokens += part.tokens
            }
        }
        return words
    }
}

/// Python's `string.punctuation`.
private let asciiPunctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"

extension StringProtocol {
    /// Whether `part` occurs here, scalar for scalar as Python's `in` compares; nothing occurs everywhere.
    func containsScalars(of part: some StringProtocol) -> Bool {
        let bytes = Array(utf8)
        let wanted = Array(part.utf8)
        guard wanted.count <= bytes.count else { return false }
        return (0...bytes.count - wanted.count).contains { bytes[$0...].starts(with: wanted) }
    }

    /// Without the white space at both ends, in Python's sense of `str.strip()`: Unicode's, and the four
    /// information separators U+001C … U+001F.
    var strippedOfWhitespace: String {
        func isSpace(_ scalar: Unicode.Scalar) -> Bool {
            scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
        }
        let scalars = unicodeScalars
        guard let first = scalars.firstIndex(where: { !isSpace($0) }),
            let last = scalars.lastIndex(where: { !isSpace($0) })
        else { return "" }
        return String(String.UnicodeScalarView(scalars[first...last]))
    }
}
