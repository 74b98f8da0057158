import TestSupport
import Testing

@testable import Reproduction

@Suite("Words compared") struct WordComparisonTests {
    /// The definition, without a table: the fewest changes from one list to the other.
    private func distance(_ a: ArraySlice<String>, _ b: ArraySlice<String>) -> Int {
        guard let first = a.first, let second = b.first else { return a.count + b.count }
        let (a, b) = (a, b)
        let same = distance(a.dropFirst(), b.dropFirst()) + (first == second ? 0 : 1)
        if first == second { return same }
        return min(same, distance(a.dropFirst(), b) + 1, distance(a, b.dropFirst()) + 1)
    }

    @Test("errors are the fewest changes by their definition, and the changes make one text of the other")
    func definition() throws {
        var random = SeededGenerator(seed: 5)
        for _ in 0..<300 {
            let texts = (0..<2).map { _ in
                (0..<Int.random(in: 0...6, using: &random)).map { _ in ["a", "b", "c"].randomElement(using: &random)! }
            }
            let comparison = try #require(WordComparison(words: texts[0], texts[1]))
            #expect(comparison.errors == distance(texts[0][...], texts[1][...]))
            #expect(comparison.changes.filter { $0.kind != .added }.map(\.word) == texts[0])
            #expect(comparison.changes.filter { $0.kind != .removed }.map(\.word) == texts[1])
            #expect(comparison.isKept.count { $0 } == comparison.changes.count { $0.kind == .kept })
        }
    }

    @Test("upper case and punctuation are no difference; a hyphen divides words")
    func normalised() throws {
        let comparison = try #require(WordComparison("Hot ones. It’s well-known!", "hot ones it's well known"))
        #expect(comparison.errors == 0)
        #expect(comparison.before == ["Hot", "ones.", "It’s", "well", "known!"])
    }

    @Test("the rate is errors over the words of the first text, and there is none without words")
    func rate() throws {
        #expect(try #require(WordComparison("a b c d", "a x d")).rate == 0.5)
        #expect(try #require(WordComparison("", "a")).rate.isNaN)
        var errors = WordErrors()
        errors.add(try #require(WordComparison("a b c", "a b c")))
        errors.add(try #require(WordComparison("a", "b")))
        #expect(errors.rate == 0.25)
        #expect(WordErrors().rate.isNaN)
    }

    @Test("texts whose table would be too large are not compared")
    func tooLong() {
        let long = Array(repeating: "a", count: 9000)
        #expect(WordComparison(words: long, long) == nil)
    }
}
