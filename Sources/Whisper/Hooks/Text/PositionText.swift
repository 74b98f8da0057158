/// Positions as a text names them.
enum PositionText: Sendable {
    case bounds(PositionBounds)
    /// Words of the transcript, and where they stand in the text.
    case word(WordName, HookWords.Word)
}

/// How words of a transcript are named.
package enum WordName: Sendable, Equatable {
    /// Their numbers, from 1, both among them.
    case numbers(ClosedRange<Int>)
    /// What they say, whatever their case and punctuation.
    case said(String)
}

extension HookWords {
    /// What follows `@frames`, `@tokens`, `@word` or a lone `@`.
    /// - Parameter before: positions that the text has named already.
    mutating func position(_ qualifier: Word, after before: PositionText?) throws -> PositionText {
        guard before == nil else {
            throw error(
                "\(qualifier.text) names positions a second time; expected one of @frames, @tokens, @word",
                at: qualifier)
        }
        switch qualifier.text {
        case "@frames", "@tokens": return .bounds(try bounds())
        case "@word":
            let word = try next("a word: its number from 1, or what it says")
            guard !isQuoted(word), word.text.first?.isNumber == true else { return try said(word) }
            let ends = word.text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard ends.count <= 2, let first = ends.first ?? nil, let last = ends.last ?? nil, first >= 1, first <= last
            else { throw expected("a word's number from 1, as in 3 or 3-5", word) }
            return .word(.numbers(first...last), word)
        case "@":
            let word = try next("words in double quotes")
            guard isQuoted(word) else { throw expected("words in double quotes", word) }
            return try said(word)
        default:
            throw error("\"\(qualifier.text)\" names no positions; @frames, @tokens and @word do", at: qualifier)
        }
    }

    private func said(_ word: Word) throws -> PositionText {
        guard !HeardWord.spelled(word.text).isEmpty else {
            throw error("there is no word in \"\(word.text)\"", at: word)
        }
        return .word(.said(word.text), word)
    }
}
