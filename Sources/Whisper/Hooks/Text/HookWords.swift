/// The words of a text that names hook points, an intervention's or an objective's, read one after another; each knows where it stands.
struct HookWords: Sendable {
    struct Word: Sendable {
        /// Without quotes.
        let text: String
        /// In the whole text, quotes included.
        let range: Range<String.Index>
    }

    let text: String
    /// What the text is, for messages.
    private let kind: String
    private var words: ArraySlice<Word>

    /// - Throws: ``WhisperError`` (`invalidArgument`) for a quote that is not closed.
    init(_ text: String, of kind: String) throws {
        (self.text, self.kind) = (text, kind)
        words = []
        words = try split()[...]
    }

    /// Words apart at blanks. One in double quotes, a file's name, may have blanks in it. The first `=` is a word; before it,
    /// `@` begins one, and both may stand close to their neighbours. After it, both may be part of a file's name.
    private func split() throws -> [Word] {
        var words: [Word] = []
        var start: String.Index?
        var isPlace = true
        func end(at index: String.Index) {
            if let begin = start { words.append(Word(text: String(text[begin..<index]), range: begin..<index)) }
            start = nil
        }
        var index = text.startIndex
        while index < text.endIndex {
            let character = text[index]
            var next = text.index(after: index)
            switch character {
            case "\"":
                end(at: index)
                guard let close = text[next...].firstIndex(of: "\"") else {
                    throw error("the quote is not closed", at: index)
                }
                let name = String(text[next..<close])
                next = text.index(after: close)
                words.append(Word(text: name, range: index..<next))
            case "=" where isPlace:
                end(at: index)
                words.append(Word(text: "=", range: index..<next))
                isPlace = false
            case _ where character.isWhitespace: end(at: index)
            default:
                if character == "@", isPlace { end(at: index) }
                if start == nil { start = index }
            }
            index = next
        }
        end(at: text.endIndex)
        return words
    }

    // MARK: - Errors

    /// What is wrong, in which text, and where in it: characters count from 1.
    func error(_ problem: String, at index: String.Index) -> WhisperError {
        let place = text.distance(from: text.startIndex, to: index) + 1
        return WhisperError(.invalidArgument, "in the \(kind) \"\(text)\", at character \(place): \(problem)")
    }

    func error(_ problem: String, at word: Word) -> WhisperError { error(problem, at: word.range.lowerBound) }

    func expected(_ what: String, _ word: Word) -> WhisperError {
        error("expected \(what), not \"\(word.text)\"", at: word)
    }

    // MARK: - Reading

    mutating func next(_ expected: String) throws -> Word {
        guard let word = words.popFirst() else {
            throw WhisperError(
                .invalidArgument, "in the \(kind) \"\(text)\": expected \(expected) at its end")
        }
        return word
    }

    mutating func take(where condition: (String) -> Bool) -> Word? {
        guard let word = words.first, condition(word.text) else { return nil }
        return words.popFirst()
    }

    var isEmpty: Bool { words.isEmpty }

    /// - Throws: ``WhisperError`` (`invalidArgument`) where words are left.
    func end() throws {
        guard let first = words.first else { return }
        throw error("\"\(text[first.range.lowerBound...])\" is left over", at: first)
    }

    mutating func number(_ what: String) throws -> Float {
        let word = try next(what)
        guard let number = Float(word.text), number.isFinite else { throw expected(what, word) }
        return number
    }

    mutating func natural(_ what: String) throws -> Int {
        let word = try next(what)
        guard let number = Int(word.text), number >= 0 else { throw expected(what, word) }
        return number
    }

    /// `seed n` where it stands there; else 0.
    mutating func seed() throws -> UInt64 {
        guard take(where: { $0 == "seed" }) != nil else { return 0 }
        let word = try next("a seed")
        guard let seed = UInt64(word.text) else { throw expected("a seed, 0 or more", word) }
        return seed
    }

    /// Numbers between commas, each once; `4-7` stands for 4, 5, 6 and 7.
    mutating func naturals(_ what: String) throws -> [Int] {
        let word = try next(what)
        let numbers = try word.text.split(separator: ",", omittingEmptySubsequences: false).flatMap { part in
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard ends.count <= 2, let first = ends.first ?? nil, let last = ends.last ?? nil, first >= 0,
                first <= last, last - first < 1 << 20
            else { throw expected(what, word) }
            return Array(first...last)
        }
        var seen = Set<Int>()
        if let twice = numbers.first(where: { !seen.insert($0).inserted }) {
            throw error("\(twice) is named twice", at: word)
        }
        return numbers
    }

    func isQuoted(_ word: Word) -> Bool { text[word.range].hasPrefix("\"") }
}
