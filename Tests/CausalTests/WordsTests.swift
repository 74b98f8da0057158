import PluginTranscripts
import TestSupport
import Testing

@Suite("Words of transcripts, compared") struct WordsTests {
    @Test("words are compared in small letters, without punctuation, titles in full")
    func words() {
        #expect(Words.of("Don't stop, it's 5.") == ["don't", "stop", "it's", "5"])
        #expect(Words.of("MISTER HALE") == Words.of("Mr. Hale"))
        #expect(Words.of(" Post-mortem — ’twas O’Hara's 'end' ") == ["post", "mortem", "'twas", "o'hara's", "'end'"])
        #expect(Words.of(" ' … - ").isEmpty && Words.of("").isEmpty)
        #expect(Words.of("L'été à Zürich") == ["l'été", "à", "zürich"])
    }

    @Test("words that were put in, left out or exchanged are found, and counted")
    func alignment() {
        let alignment = WordAlignment("a b c", "a x c d")
        #expect(alignment.steps == [.kept(0, 0), .exchanged(1, 1), .kept(2, 2), .added(3)])
        #expect(alignment.errors == 2 && alignment.isKept == [true, false, true])
        #expect(alignment.places == [0, nil, 2])
        #expect(WordAlignment([], ["a"]).steps == [.added(0)])
        #expect(WordAlignment(["a", "b"], []).steps == [.lost(0), .lost(1)])
        #expect(WordAlignment([], []).steps.isEmpty)
    }

    @Test("no way between two texts is shorter than the one that is found, and it leads there")
    func shortest() {
        var generator = SeededGenerator(seed: 9)
        /// Levenshtein's recursion, as it is written down.
        func distance(_ a: ArraySlice<String>, _ b: ArraySlice<String>) -> Int {
            guard let x = a.first else { return b.count }
            guard let y = b.first else { return a.count }
            let exchange = distance(a.dropFirst(), b.dropFirst()) + (x == y ? 0 : 1)
            return min(exchange, distance(a.dropFirst(), b) + 1, distance(a, b.dropFirst()) + 1)
        }
        for _ in 0..<60 {
            let a = (0..<Int.random(in: 0...6, using: &generator)).map { _ in
                ["a", "b", "c"].randomElement(using: &generator) ?? "a"
            }
            let b = (0..<Int.random(in: 0...6, using: &generator)).map { _ in
                ["a", "b", "c"].randomElement(using: &generator) ?? "a"
            }
            let found = WordAlignment(a, b)
            #expect(found.errors == distance(a[...], b[...]))
            let led: [String] = found.steps.compactMap { step in
                switch step {
                case .kept(let place, _): a[place]
                case .exchanged(_, let place), .added(let place): b[place]
                case .lost: nil
                }
            }
            #expect(led == b)
        }
    }

    @Test("a difference is written as git's of words")
    func difference() {
        #expect(
            WordAlignment("the dose for an adult is ten", "the doors for adult is ten minutes").difference
                == "the [-dose-]{+doors+} for [-an-] adult is ten {+minutes+}")
        #expect(WordAlignment("a b", "a b").difference == "a b")
        #expect(WordAlignment("", "x y").difference == "{+x y+}" && WordAlignment("x y", "").difference == "[-x y-]")
    }

    @Test("a recording that is repeated without end counts once where errors are bounded")
    func errors() {
        let looping = WordErrors(["a", "b"], [String](repeating: "b", count: 50))
        #expect(looping.errors == 49 && looping.bounded == 2 && looping.rate == 24.5 && looping.boundedRate == 1)
        let both = [looping, WordErrors(["a"], ["a"])].total
        #expect(both.words == 3 && both.errors == 49 && abs(both.boundedRate - 2.0 / 3) < 1e-12)
        #expect(WordErrors([], ["a"]).rate.isNaN && both.isSound)
    }

    @Test("an interval of a difference holds it, and is empty of chance where every recording says the same")
    func interval() {
        let right = [WordErrors](repeating: WordErrors(["a", "b"], ["a", "b"]), count: 20)
        let wrong = [WordErrors](repeating: WordErrors(["a", "b"], ["a"]), count: 20)
        let sure = RateDifference.interval(wrong, right, seed: 1)
        #expect(sure.low == 0.5 && sure.high == 0.5)
        let half = Array(wrong.prefix(10) + right.prefix(10))
        let unsure = RateDifference.interval(half, right, seed: 1)
        #expect(unsure.low < 0.25 && unsure.low > 0.05 && unsure.high > 0.25 && unsure.high < 0.45)
        #expect(RateDifference.interval(half, right, seed: 1) == unsure)
        #expect(RateDifference.interval([], [], seed: 1).low.isNaN)
    }

    @Test("columns and their values are read, and nonsense refused")
    func columns() throws {
        let some = try #require(try ColumnValues(parsing: " label = music, bird song ", parameter: "nonspeech"))
        #expect(some.column == "label" && some.values == ["music", "bird song"])
        #expect(try ColumnValues(parsing: " ", parameter: "nonspeech") == nil)
        for text in ["music", "=music", "label=", "label= ,"] {
            #expect { try ColumnValues(parsing: text, parameter: "nonspeech") } throws: {
                "\($0)".contains("nonspeech is \"\(text)\"")
            }
        }
    }
}
