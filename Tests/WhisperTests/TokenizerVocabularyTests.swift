import Foundation
import Testing
import Whisper

@Suite struct TokenizerVocabularyTests {
    static let nVocab = 3108
    private let tiktoken: [UInt8]
    private let tokenizerJSON: [UInt8]
    private let reference: Vocabulary

    init() throws {
        func bytes(_ name: String) throws -> [UInt8] {
            try [UInt8](Data(contentsOf: URL(fileURLWithPath: "\(TokenizerCases.folder)/\(name)")))
        }
        tiktoken = try bytes("small-multilingual.tiktoken")
        tokenizerJSON = try bytes("small-multilingual.tokenizer.json")
        reference = try Vocabulary.load(
            file: "\(TokenizerCases.folder)/small-multilingual.tiktoken", nVocab: Self.nVocab)
    }

    private func load(_ files: [String: [UInt8]], nVocab: Int = nVocab) throws -> Vocabulary? {
        try Vocabulary.load(nVocab: nVocab) { files[$0] }
    }

    @Test func `tokenizer.json gives what the .tiktoken gives, and timestamps that it leaves out`() throws {
        let vocabulary = try #require(try load(["tokenizer.json": tokenizerJSON]))
        #expect(vocabulary.tokens == reference.tokens)
        #expect(vocabulary.specialTokens["<|30.00|>"] == reference.specialTokens["<|30.00|>"])
        #expect(vocabulary.specialTokens["<|fr|>"] == reference.specialTokens["<|fr|>"])
        #expect(try Tokenizer(vocabulary).noSpeech == reference.specialTokens["<|nospeech|>"])
    }

    @Test func `vocab.json with merges.txt and added_tokens.json gives the same`() throws {
        let json = try #require(
            try JSONSerialization.jsonObject(with: Data(tokenizerJSON)) as? [String: Any])
        let model = try #require(json["model"] as? [String: Any])
        let added = try #require(json["added_tokens"] as? [[String: Any]])
        var map: [String: Int] = [:]
        for token in added { map[try #require(token["content"] as? String)] = token["id"] as? Int }
        let merges = try #require(model["merges"] as? [String])
        let files = [
            "vocab.json": try JSONSerialization.data(withJSONObject: try #require(model["vocab"])),
            "added_tokens.json": try JSONSerialization.data(withJSONObject: map),
            "merges.txt": Data(("#version: 0.2\n" + merges.joined(separator: "\n") + "\n").utf8),
        ]
        let vocabulary = try #require(try load(files.mapValues { [UInt8]($0) }))
        #expect(vocabulary.tokens == reference.tokens)
        #expect(vocabulary.specialTokens["<|0.02|>"] == reference.specialTokens["<|0.02|>"])
    }

    @Test func `Special tokens are read from the file beside a .tiktoken, whatever the model's size`() throws {
        let specials = """
            {"special_tokens": {"<|endoftext|>": 1500, "<|startoftranscript|>": 1501, "<|fr|>": 1502, \
            "<|transcribe|>": 1503, "<|notimestamps|>": 1504, "<|0.00|>": 1505, "<|0.02|>": 1506}}
            """
        let vocabulary = try #require(
            try load(["vocab.tiktoken": tiktoken, "special_tokens.json": Array(specials.utf8)], nVocab: 1507))
        let tokenizer = try Tokenizer(vocabulary)
        #expect(tokenizer.languages.map(\.code) == ["fr"])
        #expect(tokenizer.timestampCount == 2)
        #expect(try tokenizer.startSequence(language: "fr") == [1501, 1502, 1503])
    }

    @Test func `whisper.cpp's list gives the published layout, or its own special tokens where it has them`() throws {
        let bare = try Vocabulary(ggmlTokens: reference.tokens, nVocab: Self.nVocab)
        #expect(bare.specialTokens == reference.specialTokens)
        let end = try Vocabulary(ggmlTokens: reference.tokens + [Array("<|endoftext|>".utf8)], nVocab: Self.nVocab)
        #expect(end.specialTokens == reference.specialTokens)
        let names = reference.specialTokens.sorted { $0.value < $1.value }.map { Array($0.key.utf8) }
        let whole = try Vocabulary(ggmlTokens: reference.tokens + names.prefix(200), nVocab: 2000)
        #expect(whole.specialTokens["<|1.00|>"] == reference.specialTokens["<|1.00|>"])
    }

    @Test func `No vocabulary file is no vocabulary`() throws {
        #expect(try load([:]) == nil)
        #expect(try Vocabulary.load(beside: "/nonexistent", nVocab: Self.nVocab) == nil)
    }

    @Test func `A size that the published layout cannot have is refused with both numbers`() throws {
        let error = #expect(throws: WhisperError.self) { try load(["vocab.tiktoken": tiktoken], nVocab: 2559) }
        #expect(error?.message.contains("2559") == true && error?.message.contains("3108") == true)
    }

    @Test func `Of several .tiktoken files the one that fits is taken, and two that fit are refused`() throws {
        let short = Array(tiktoken.split(separator: 0x0A).dropLast(100).joined(separator: [0x0A]))
        let one = try load(["gpt2.tiktoken": short, "multilingual.tiktoken": tiktoken])
        #expect(one?.tokens == reference.tokens)
        let error = #expect(throws: WhisperError.self) {
            try load(["gpt2.tiktoken": tiktoken, "multilingual.tiktoken": tiktoken])
        }
        #expect(error?.message.contains("multilingual.tiktoken, gpt2.tiktoken") == true)
    }

    @Test(arguments: [
        "", "\n", "IQ==", "IQ== x", "IQ== 1", "!! 0", "IQ== 0 0", "\u{0}\u{1}\u{2}", "IQ== 99999999999999999999",
    ])
    func `A damaged .tiktoken is refused with its name`(text: String) throws {
        let error = #expect(throws: WhisperError.self) { try load(["gpt2.tiktoken": Array(text.utf8)]) }
        #expect(error?.message.contains("gpt2.tiktoken") == true)
    }

    @Test(arguments: [
        "", "{", "[]", "{\"model\": 1}", "{\"model\": {\"vocab\": {\"a\": -1}}}",
        "{\"model\": {\"vocab\": {\"a\": 1}}}",
        "{\"model\": {\"vocab\": {\"a\": 9223372036854775807}}}", "{\"model\": {\"type\": \"Unigram\", \"vocab\": {}}}",
        "{\"model\": {\"vocab\": {\"a\": 0, \"b\": 0}}}", "{\"model\": {\"vocab\": {\"\u{4e00}\": 0}}}",
        "{\"model\": {\"vocab\": {\"b\": 0, \"a\": 1}, \"merges\": [\"x y\"]}}",
        "{\"model\": {\"vocab\": {\"a\": 0}}, \"added_tokens\": [{\"id\": 9223372036854775807, \"content\": \"<|startoftranscript|>\"}]}",
        "{\"model\": {\"vocab\": {\"a\": 0}}, \"added_tokens\": [{\"id\": 9223372036854775807, \"content\": \"<|notimestamps|>\"}, {\"id\": 1, \"content\": \"<|startoftranscript|>\"}]}",
        "{\"model\": {\"vocab\": {\"a\": 0}}, \"added_tokens\": [{\"id\": 1, \"content\": \"x\"}, {\"id\": 1, \"content\": \"<|startoftranscript|>\"}]}",
    ])
    func `A damaged tokenizer.json is refused with its name`(text: String) throws {
        let error = #expect(throws: WhisperError.self) { try load(["tokenizer.json": Array(text.utf8)]) }
        #expect(error?.message.contains("tokenizer.json") == true)
    }

    @Test func `Special tokens out of order or out of the model are refused`() throws {
        for specials in [
            "{\"<|endoftext|>\": 0, \"<|startoftranscript|>\": 1501}",
            "{\"<|endoftext|>\": 1500, \"<|startoftranscript|>\": 1600}",
            "{\"<|endoftext|>\": 1500, \"<|startoftranscript|>\": 1500}",
        ] {
            let json = Array("{\"special_tokens\": \(specials)}".utf8)
            #expect(throws: WhisperError.self) {
                try load(["vocab.tiktoken": tiktoken, "special_tokens.json": json], nVocab: 1600)
            }
        }
        for (name, id) in [("<|0.00|>", 1500), ("<|fr|>", 1), ("<|0.04|>", Int.max), ("<|7.00|>", 1700)] {
            var specials = reference.specialTokens
            specials[name] = id
            let vocabulary = Vocabulary(tokens: reference.tokens, specialTokens: specials)
            #expect(throws: WhisperError.self) { try Tokenizer(vocabulary) }
        }
        #expect(throws: WhisperError.self) { try Tokenizer(Vocabulary(tokens: [[65]], specialTokens: [:])) }
    }

    @Test func `A folder in the place of a file is refused, and a missing file is not found`() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        try FileManager.default.createDirectory(atPath: folder + "/tokenizer.json", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(throws: WhisperError.self) { try Vocabulary.load(beside: folder, nVocab: 10) }
        let error = #expect(throws: WhisperError.self) { try Vocabulary.load(file: folder + "/none", nVocab: 10) }
        #expect(error?.code == .notFound)
    }
}
