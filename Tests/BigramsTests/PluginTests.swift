import PluginKit
import TestHost
import TestSupport
import Testing

/// The library that was built, through the C interface alone.
@Suite("Bigrams as a plugin")
struct BigramsPluginTests {
    private static let words = ["<|startoftranscript|>", "<|fr|>", "<|transcribe|>", " traffic", " light", " a"]

    private func instance(_ folder: TemporaryFolder, _ arguments: [String: String], columns: Int = 6) throws
        -> TestInstance
    {
        var services = TestServices()
        services.encode = { text, _ in Self.words.firstIndex(of: text).map { [Int32($0)] } ?? [] }
        services.decode = { ids in ids.map { Self.words[Int($0)] }.joined() }
        services.logits = { audio, sequences in
            guard !audio else { throw PluginError(.failed, "audio was not expected") }
            let rows = sequences.flatMap { sequence in
                (0..<columns).map { $0 == Int(sequence.last ?? 0) + 1 ? Float(sequence.count) : 0 }
            }
            return TestTensor("", axes: ["", "vocab"], shape: [sequences.count, columns], values: rows)
        }
        return try TestPlugin.built("bigrams", in: folder.path).instance(arguments, services: services)
    }

    private func run() -> TestRun {
        var run = TestRun()
        run.nVocab = Self.words.count
        return run
    }

    @Test("hears nothing, and says what the host's decoder expects after the prompt")
    func prompt() throws {
        let folder = try TemporaryFolder()
        let instance = try instance(folder, ["prompt": "traffic", "language": "fr", "top": "2"])
        #expect(instance.needs.flags == 1 << 5)
        try instance.run([], run())
        guard case .table(_, let rows) = try instance.result("next") else { throw PluginError(.failed, "no table") }
        #expect(rows.count == 2 && rows[0][4] == .text(" light") && rows[0][5] == .number(4))
    }

    @Test("asked for nothing, it says what the decoder begins with", arguments: [nil, "", " | "])
    func beginning(prompt: String?) throws {
        let folder = try TemporaryFolder()
        var arguments = ["language": "fr", "top": "1"]
        arguments["prompt"] = prompt
        let instance = try instance(folder, arguments)
        try instance.run([], run())
        guard case .table(_, let rows) = try instance.result("next") else { throw PluginError(.failed, "no table") }
        // After <|startoftranscript|><|fr|><|transcribe|>, the planted decoder says the token after the last.
        #expect(rows.count == 1 && rows[0][1] == .text("") && rows[0][4] == .text(" traffic"))
        #expect(rows[0][5] == .number(3))
    }

    @Test("logits of another shape, a language without a token, and a file for no matrix are refused in words")
    func refused() throws {
        let folder = try TemporaryFolder()
        let narrow = try instance(folder, ["prompt": "traffic", "language": "fr"], columns: 5)
        #expect { try narrow.run([], run()) } throws: { "\($0)".contains("[1, 5]") }
        let other = try TemporaryFolder()
        let stranger = try instance(other, ["prompt": "traffic", "language": "xx"])
        #expect { try stranger.run([], run()) } throws: { "\($0)".contains("<|xx|>") }
        #expect(throws: TestHostError.self) { try instance(TemporaryFolder(), ["out": "/x", "prompt": "a"]) }
    }
}
