import Foundation
import Testing
import Whisper

/// What tiktoken and openai-whisper make of a vocabulary (Fixtures/tokenizer/generate.py).
struct TokenizerCases: Decodable {
    struct Text: Decodable { var text: String, tokens: [Int] }
    struct Decoding: Decodable { var tokens: [Int], text: String, withTimestamps: String }
    struct Split: Decodable { var language: String, tokens: [Int], words: [String], wordTokens: [[Int]] }
    var nVocab: Int
    var multilingual: Bool
    var startSequence: [Int]
    var frenchStartSequence: [Int]
    var timestampBegin: Int
    var noSpeech: Int
    var nonSpeech: [Int]
    var languages: [Int]
    var texts: [Text]
    var decodes: [Decoding]
    var words: [Split]

    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../Fixtures/tokenizer").standardizedFileURL.path

    init(_ name: String, in folder: String = folder) throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name).cases.json"))
        self = try JSONDecoder().decode(TokenizerCases.self, from: data)
    }
}

/// Swift compares strings by meaning; here every scalar counts.
func sameScalars(_ a: String, _ b: String) -> Bool { a.utf8.elementsEqual(b.utf8) }

@Suite struct TokenizerTests {
    static let full = ProcessInfo.processInfo.environment["AUSCULT_TOKENIZER_FULL"]

    @Test(arguments: ["small-multilingual", "small-gpt2"])
    func `Encodes, decodes and splits as the reference does`(name: String) throws {
        try check(name, in: TokenizerCases.folder)
    }

    @Test(
        .enabled(if: full != nil, "AUSCULT_TOKENIZER_FULL names no folder made by generate.py --full"),
        arguments: ["multilingual", "multilingual-v3", "gpt2"])
    func `Agrees with the reference on the whole vocabularies`(name: String) throws {
        try check(name, in: Self.full ?? "")
    }

    private func check(_ name: String, in folder: String) throws {
        let cases = try TokenizerCases(name, in: folder)
        let read = try Vocabulary.load(file: "\(folder)/\(name).tiktoken", nVocab: cases.nVocab)
        let vocabulary = Vocabulary(
            tokens: read.tokens, specialTokens: read.specialTokens, isMultilingual: cases.multilingual)
        if !name.hasPrefix("small") { #expect(read.isMultilingual == cases.multilingual) }
        let tokenizer = try Tokenizer(vocabulary)
        #expect(try tokenizer.startSequence(language: "en") == cases.startSequence)
        if cases.multilingual {
            #expect(try tokenizer.startSequence(language: "French") == cases.frenchStartSequence)
        }
        #expect(tokenizer.timestampBegin == cases.timestampBegin)
        #expect(tokenizer.timestampCount == 1501)
        #expect(tokenizer.noSpeech == cases.noSpeech)
        #expect(tokenizer.nonSpeechTokens == cases.nonSpeech)
        #expect(tokenizer.languages.map(\.token) == cases.languages)

        let misencoded = cases.texts.filter { tokenizer.encode($0.text) != $0.tokens }
        #expect(misencoded.map(\.text) == [], "of \(cases.texts.count) texts")
        let unequal = cases.texts.filter { !sameScalars(tokenizer.decode($0.tokens), $0.text) }
        #expect(unequal.map(\.text) == [], "text → tokens → text")
        let misdecoded = cases.decodes.filter {
            !sameScalars(tokenizer.decode($0.tokens), $0.text)
                || !sameScalars(tokenizer.decodeWithTimestamps($0.tokens), $0.withTimestamps)
        }
        #expect(misdecoded.map(\.tokens) == [], "of \(cases.decodes.count) token lists")
        let missplit = cases.words.filter { split in
            let words = tokenizer.splitToWordTokens(split.tokens, language: split.language)
            return words.map(\.tokens) != split.wordTokens
                || !zip(words, split.words).allSatisfy { sameScalars($0.word, $1) }
        }
        #expect(missplit.map(\.tokens) == [], "of \(cases.words.count) lists of words")
    }

    @Test func `An emoji split over tokens survives the round trip, and half of it is a replacement character`() throws
    {
        let tokenizer = try small()
        let ids = tokenizer.encode("🙂")
        #expect(ids.count > 1)
        #expect(tokenizer.decode(ids) == "🙂")
        #expect(tokenizer.decode(Array(ids.dropLast())) == "\u{FFFD}")
    }

    @Test func `Text that looks like a special token is encoded as text`() throws {
        let tokenizer = try small()
        let ids = tokenizer.encode("<|endoftext|>")
        #expect(ids.allSatisfy { $0 < tokenizer.endOfText })
        #expect(tokenizer.decode(ids) == "<|endoftext|>")
    }

    @Test func `A long run of one letter takes no quadratic time`() throws {
        let tokenizer = try small()
        let text = String(repeating: "a", count: 200_000)
        #expect(tokenizer.decode(tokenizer.encode(text)) == text)
    }

    @Test func `Ids that no token has decode to nothing`() throws {
        let tokenizer = try small()
        #expect(tokenizer.decode([-1, Int.min, tokenizer.endOfText - 1 + 1_000_000]) == "")
        #expect(tokenizer.decodeWithTimestamps([tokenizer.timestampBegin + 54]) == "<|1.08|>")
    }

    @Test(arguments: ["fr", "FR", "French", "french"])
    func `A language may be named by code or in English`(word: String) throws {
        #expect(try small().languageCode(for: word) == "fr")
    }

    @Test func `An unknown language is refused with those the model knows`() throws {
        let tokenizer = try small()
        let error = #expect(throws: WhisperError.self) { try tokenizer.startSequence(language: "klingon") }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("klingon") == true && error?.message.contains("en, zh, de") == true)
    }

    @Test func `An English-only model is asked neither for French nor for a translation`() throws {
        let small = try small().vocabulary
        let tokenizer = try Tokenizer(
            Vocabulary(tokens: small.tokens, specialTokens: small.specialTokens, isMultilingual: false))
        #expect(try tokenizer.startSequence(language: "english") == [tokenizer.startOfTranscript])
        #expect(throws: WhisperError.self) { try tokenizer.startSequence(language: "fr") }
        #expect(throws: WhisperError.self) { try tokenizer.startSequence(language: nil, task: .translate) }
    }

    private func small() throws -> Tokenizer {
        try Tokenizer(Vocabulary.load(file: "\(TokenizerCases.folder)/small-multilingual.tiktoken", nVocab: 3108))
    }
}
