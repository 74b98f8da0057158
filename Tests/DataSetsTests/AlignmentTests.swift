import Files
import Foundation
import TestSupport
import Testing

@testable import DataSets

let textGridShort = """
    File type = "ooTextFile"
    Object class = "TextGrid"

    0
    1
    <exists>
    2
    "IntervalTier"
    "phones"
    0
    1
    2
    0
    0.5
    "h""i"
    0.5
    1
    ""
    "IntervalTier"
    "words"
    0 1 1
    0.25 1 "hi"
    """

let textGridLong = """
    File type = "ooTextFile"
    Object class = "TextGrid"

    xmin = 0
    xmax = 1
    tiers? <exists>
    size = 2
    item []:
        item [1]:
            class = "IntervalTier"
            name = "speaker - words"
            xmin = 0
            xmax = 1
            intervals: size = 1
            intervals [1]:
                xmin = 0.25 ! a comment with "a quote
                xmax = 1
                text = "hé"
        item [2]:
            class = "TextTier"
            name = "Phonemes"
            xmin = 0
            xmax = 1
            points: size = 1
            points [1]:
                number = 0.75
                mark = "p"
    """

@Suite("Alignments") struct AlignmentTests {
    private func read(_ text: String, _ name: String, _ utterance: [String] = []) throws -> Alignment {
        try AlignmentFile.parse(text, path: name, utterance: utterance, content: .both)
    }

    @Test("both text forms of a TextGrid are read, in UTF-8 and in UTF-16 of both orders")
    func textGrids() throws {
        #expect(
            try read(textGridShort, "a.TextGrid")
                == Alignment(
                    phonemes: [TimedLabel(start: 0, end: 0.5, label: "h\"i")],
                    words: [TimedLabel(start: 0.25, end: 1, label: "hi")]))
        let long = Alignment(
            phonemes: [TimedLabel(start: 0.75, end: 0.75, label: "p")],
            words: [TimedLabel(start: 0.25, end: 1, label: "hé")])
        #expect(try read(textGridLong, "a.TextGrid") == long)
        for encoding in [String.Encoding.utf16LittleEndian, .utf16BigEndian] {
            let mark: [UInt8] = encoding == .utf16LittleEndian ? [0xFF, 0xFE] : [0xFE, 0xFF]
            let bytes = mark + [UInt8](try #require(textGridLong.data(using: encoding)))
            #expect(try read(TextFile.text(bytes, "a.TextGrid"), "a.TextGrid") == long)
        }
    }

    @Test("a CTM's lines of one utterance are found by its name, sorted by time")
    func ctm() throws {
        let text = ";; comment\na 1 0.5 0.25 two 0.9\nb A 0 1 other\n\na 1 0.25 0.25 one\n"
        let words = try read(text, "x.ctm", ["a"]).words
        #expect(words == [.init(start: 0.25, end: 0.5, label: "one"), .init(start: 0.5, end: 0.75, label: "two")])
        #expect(try read("b A 0 1 other\n", "x.ctm", ["a"]).words.map(\.label) == ["other"])
        let error = #expect(throws: DataSetError.self) { try read(text, "x.ctm", ["c"]) }
        #expect(error?.code == .notFound)
    }

    @Test(
        "a CTM is of words, or of phonemes where its name or its column says so",
        arguments: [
            ("a.ctm", AlignmentFile.Content.both, false), ("a.words.ctm", .both, false), ("a.phones.ctm", .both, true),
            ("of/phones/a.ctm", .both, false), ("a.PHONES.CTM", .both, true), ("a.ctm", .phonemes, true),
            ("a.phones.ctm", .words, false),
        ])
    func kindOfCTM(name: String, content: AlignmentFile.Content, isOfPhonemes: Bool) throws {
        let read = try AlignmentFile.parse("a 1 0.5 0.25 S\n", path: name, utterance: ["a"], content: content)
        let labels = [TimedLabel(start: 0.5, end: 0.75, label: "S")]
        #expect(read == (isOfPhonemes ? Alignment(phonemes: labels) : Alignment(words: labels)))
    }

    @Test(
        "a damaged alignment names the file, the line, what was expected and what came",
        arguments: [
            ("a.phn", "0 100 a\n100 50 b", 2, "expected first sample"), ("a.wrd", "0 x y", 1, "expected first sample"),
            ("a.ctm", "a 1 0 -1 w", 1, "expected utterance"), ("a.ctm", "a 1 0 nan w", 1, "expected utterance"),
            ("a.TextGrid", "File type = \"other\"", 1, "expected the file type"),
            ("a.TextGrid", textGridShort.replacingOccurrences(of: "0.25 1", with: "2 1"), 22, "expected an end after"),
            ("a.TextGrid", textGridShort.replacingOccurrences(of: "\"hi\"", with: "\"hi"), 22, "closing quote"),
            (
                "a.TextGrid", textGridShort.replacingOccurrences(of: "0 1 1\n", with: "0 1 9999999\n"), 22,
                "the file ends"
            ),
            ("a.TextGrid", textGridShort.replacingOccurrences(of: "0 1 1\n", with: "0 1 1e300\n"), 21, "number of int"),
        ])
    func damage(file: String, text: String, line: Int, problem: String) throws {
        let error = #expect(throws: DataSetError.self) { try read(text, file) }
        #expect(error?.file == file && error?.line == line)
        #expect(error?.problem.contains(problem) == true, "\(error?.problem ?? "")")
    }

    @Test("a TextGrid without a tier of sounds or words says which tiers it has")
    func otherTiers() {
        let text = textGridShort.replacingOccurrences(of: "words", with: "notes")
            .replacingOccurrences(of: "phones", with: "tones")
        let error = #expect(throws: DataSetError.self) { try read(text, "a.TextGrid") }
        #expect(error?.problem.contains("'tones', 'notes'") == true)
    }

    @Test("twenty thousand damaged files end in a value or in a DataSetError, never otherwise")
    func mutations() throws {
        let manifest = "{\"path\": \"x.wav\", \"start\": 0.5, \"phonemes\": [[0, 1, \"a\"]], \"n\": 3}\n"
        let table = "path\tstart\ttext\nx.wav\t0.5\thé\n"
        let seeds: [(String, [UInt8])] = [
            ("a.TextGrid", Array(textGridShort.utf8)), ("b.TextGrid", Array(textGridLong.utf8)),
            ("c.TextGrid", [0xFF, 0xFE] + Array(textGridShort.utf16).flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }),
            ("d.ctm", Array("a 1 0.5 0.25 two 0.9\na 1 0 0.5 one\n".utf8)),
            ("e.phn", Array("0 100 a\n100 200 b\n".utf8)),
            ("f.jsonl", Array((manifest + manifest).utf8)), ("g.tsv", Array((table + "y.wav\t1\tx\n").utf8)),
        ]
        var generator = SeededGenerator(seed: 20)
        let folder = try TemporaryFolder()
        var values = 0, errors = 0
        for round in 0..<20_000 {
            let (name, original) = seeds[round % seeds.count]
            var bytes = original
            for _ in 0...Int.random(in: 0..<3, using: &generator) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[place] = .random(in: .min ... .max, using: &generator)
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(bytes[Int.random(in: 0..<bytes.count, using: &generator)], at: place)
                default: bytes.removeLast(Int.random(in: 0..<min(8, bytes.count), using: &generator))
                }
            }
            do {
                if name.hasSuffix("jsonl") || name.hasSuffix("tsv") {
                    try folder.write(bytes, to: name)
                    try DataSet(folder(name)).forEach(broken: { _ in errors += 1 }) { _ in values += 1 }
                } else {
                    _ = try read(TextFile.text(bytes, name), name)
                    values += 1
                }
            } catch is DataSetError { errors += 1 }
        }
        // Both happen, or the damage does none or all of the harm.
        #expect(values > 1000 && errors > 1000)
    }
}
