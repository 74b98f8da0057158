import PluginKit

/// A word of what the decoder wrote, or several in a row.
struct WrittenWord: Equatable {
    /// As it stands there, without blanks around it.
    let text: String
    /// Of the first of them, from 1.
    let number: Int
    /// Its tokens among those that the decoder read.
    let tokens: Range<Int>
}

/// The words that a decoder's tokens spell.
struct WrittenWords {
    let words: [WrittenWord]

    /// - Parameters:
    ///   - text: of each token; nil for one that stands for no text: the prompt, a time, the end.
    init(_ text: [String?]) {
        var words: [WrittenWord] = []
        for (place, piece) in text.enumerated() {
            guard let piece else { continue }
            // A blank begins a word; without one, a token goes on with the word right before it.
            if let last = words.last, last.tokens.upperBound == place, !piece.hasPrefix(" ") {
                words[words.count - 1] = WrittenWord(
                    text: last.text + piece.trimmed, number: last.number, tokens: last.tokens.lowerBound..<place + 1)
            } else {
                words.append(WrittenWord(text: piece.trimmed, number: words.count + 1, tokens: place..<place + 1))
            }
        }
        self.words = words
    }

    /// The words that one part of an argument names: a number from 1, or what they say, whatever the case and punctuation, several in a row
    /// with blanks between. None where there is none.
    func named(_ name: String) -> [WrittenWord] {
        if let number = Int(name) { return words.filter { $0.number == number } }
        let wanted = name.split(separator: " ").map { String($0).plain }.filter { !$0.isEmpty }
        guard !wanted.isEmpty, words.count >= wanted.count else { return [] }
        return (0...words.count - wanted.count).compactMap { first in
            let found = words[first..<first + wanted.count]
            guard found.map(\.text.plain) == wanted, let begin = found.first, let end = found.last else { return nil }
            return WrittenWord(
                text: found.map(\.text).joined(separator: " "), number: begin.number,
                tokens: begin.tokens.lowerBound..<end.tokens.upperBound)
        }
    }

    /// Those that there are, for a message.
    var list: String { words.map { "\($0.number) \($0.text)" }.joined(separator: ", ") }
}

extension String {
    /// Letters and digits alone, in lower case.
    var plain: String { lowercased().filter { $0.isLetter || $0.isNumber } }

    var trimmed: String {
        guard let first = firstIndex(where: { !$0.isWhitespace }), let last = lastIndex(where: { !$0.isWhitespace })
        else { return "" }
        return String(self[first...last])
    }
}

extension Host {
    /// What each token says; nil for those that are no text.
    func pieces(_ tokens: [Int32]) throws -> [String?] {
        // All tokens of text come before the one that ends it.
        let end = try encode("<|endoftext|>", parseSpecial: true).first ?? .max
        return try tokens.map { $0 < end ? try decode([$0]) : nil }
    }
}
