/// A word that a model heard, and where: what `@word` in an intervention's text speaks of.
package struct HeardWord: Sendable, Equatable {
    package var text: String
    /// In the recording, in log-mel frames of 10 ms.
    package var melFrames: Range<Int>
    /// Where its window begins, in log-mel frames of the recording.
    package var window: Int
    /// Its tokens in what the decoder reads in that window; nil where nobody knows.
    package var tokens: Range<Int>?

    package init(text: String, melFrames: Range<Int>, window: Int = 0, tokens: Range<Int>? = nil) {
        (self.text, self.melFrames, self.window, self.tokens) = (text, melFrames, window, tokens)
    }

    /// Letters and digits of each word, in small letters.
    static func spelled(_ text: String) -> [String] {
        text.split(whereSeparator: \.isWhitespace).map { word in
            word.lowercased().filter { $0.isLetter || $0.isNumber }
        }.filter { !$0.isEmpty }
    }
}

extension [HeardWord] {
    /// The words that a name means, one after another.
    /// - Throws: what `refuse` makes of the problem, which lists the words there are.
    package func named(_ name: WordName, refuse: (String) -> any Error) throws -> [HeardWord] {
        switch name {
        case .numbers(let numbers):
            guard numbers.upperBound <= count else {
                throw refuse("there is no word \(numbers.upperBound); \(listed)")
            }
            return Array(self[numbers.lowerBound - 1...numbers.upperBound - 1])
        case .said(let text):
            let wanted = HeardWord.spelled(text)
            // A word of the transcript may be several here: one with a hyphen, say. So letters are compared, not words.
            let spelled = map { HeardWord.spelled($0.text).joined() }, joined = wanted.joined()
            let found: [Range<Int>] = indices.compactMap { first in
                var letters = ""
                for last in first..<count {
                    letters += spelled[last]
                    if letters == joined, !spelled[first].isEmpty { return first..<last + 1 }
                    if !joined.hasPrefix(letters) { return nil }
                }
                return nil
            }
            guard let range = found.first else { throw refuse("\"\(text)\" was not heard; \(listed)") }
            guard found.count == 1 else {
                let numbers = found.map { "\($0.lowerBound + 1)" }.joined(separator: ", ")
                throw refuse(
                    "\"\(text)\" was heard \(found.count) times, as words \(numbers); expected one by its number")
            }
            return Array(self[range])
        }
    }

    /// The first hundred, with their numbers.
    private var listed: String {
        guard !isEmpty else { return "no word was heard" }
        let some = prefix(100).enumerated().map { "\($0 + 1) \($1.text.filter { !$0.isWhitespace })" }
        return "the words are \(some.joined(separator: ", "))\(count > 100 ? ", …" : "")"
    }
}
