import Foundation
import PluginDraws
import PluginKit
import PluginVocabulary
import TestHost
import TestSupport
import Testing

@testable import Glitch

@Suite("Glitches")
struct GlitchTests {
    private func table(_ value: TestResult.Value) throws -> [[String: Cell]] {
        guard case .table(let columns, let rows) = value else { throw PluginError(.failed, "no table") }
        return rows.map { Dictionary(zip(columns, $0)) { first, _ in first } }
    }

    private func number(_ cell: Cell?) -> Double { if case .number(let number) = cell { number } else { .nan } }

    // MARK: - Tokens

    /// 40 tokens of text and two special ones, 6 wide: 0 to 3 are in no text and lie together, 10 and 11 lie with them, 20 is short.
    private enum Planted {
        static let text = 40, vocabulary = 42, unused = [0, 1, 2, 3], glitches = [10, 11]

        static var rows: [Float] {
            var generator = SeededGenerator(seed: 5)
            return (0..<vocabulary).flatMap { token -> [Float] in
                var row: [Float] = generator.floats(6)
                if unused.contains(token) || glitches.contains(token) {
                    row = [3, 3, 3, 0, 0, 0].map { $0 + 0.05 * row[0] }
                    row[3] = 0.1 * Float(token % 3)
                }
                return token == 20 ? row.map { $0 / 100 } : row
            }
        }

        static func text(_ token: Int) -> String {
            token == 40
                ? "<|endoftext|>" : token == 41 ? "<|startoftranscript|>" : token == 11 ? "\u{FFFD}" : " w\(token)"
        }

        /// A decoder that says again what it read last, unless it never learned it.
        static func logits(after token: Int) -> [Float] {
            (0..<vocabulary).map { $0 == token && !unused.contains(token) && !glitches.contains(token) ? 9 : 0 }
        }
    }

    private func services() -> TestServices {
        var services = TestServices()
        services.encode = { text, special in
            switch text {
            case "<|endoftext|>" where special: [40]
            case "<|startoftranscript|>" where special: [41]
            case "<|notimestamps|>" where special: [41]
            // 10 stands in the vocabulary, and its text is made of others.
            case " w10": [12, 13]
            default: special ? [1, 2] : (0..<40).filter { Planted.text($0) == text }.map { Int32($0) }
            }
        }
        services.decode = { ids in ids.map { Planted.text(Int($0)) }.joined() }
        services.weights = { _ in
            TestTensor("", axes: ["vocab", "state"], shape: [Planted.vocabulary, 6], values: Planted.rows)
        }
        services.logits = { audio, sequences in
            guard !audio else { throw PluginError(.failed, "audio was not expected") }
            #expect(sequences.allSatisfy { $0.count == 2 + 4 && Set($0.suffix(4)).count == 1 })
            return TestTensor(
                "", axes: ["", "vocab"], shape: [sequences.count, Planted.vocabulary],
                values: sequences.flatMap { Planted.logits(after: Int($0.last ?? 0)) })
        }
        return services
    }

    private func run() -> TestRun {
        var run = TestRun()
        (run.nVocab, run.nTextState, run.nTextCtx) = (Planted.vocabulary, 6, 16)
        return run
    }

    private let arguments = [
        "unused": "0-2, 3", "candidates": "2", "controls": "20", "repeats": "4", "language": "", "limit": "0.05",
    ]

    @Test("planted tokens are found by their embedding and verified by repetition; controls are not")
    func tokens() throws {
        let folder = try TemporaryFolder()
        let instance = try TestPlugin.built("glitch", in: folder.path).instance(arguments, services: services())
        #expect(instance.needs.flags == 1 << 5)
        try instance.run([], run())
        let rows = try table(instance.result("tokens"))
        let alike = rows.filter { $0["group"] == "like unused" }
        #expect(Set(alike.map { number($0["token"]) }) == [10, 11])
        for row in alike {
            #expect(row["verified"] == "yes" && abs(number(row["p"]) - 1.0 / 21) < 1e-12)
            #expect(number(row["cosine"]) > 0.95)
        }
        #expect(alike.first { $0["token"] == 10 }?["kind"] == "unreachable")
        #expect(alike.first { $0["token"] == 11 }?["kind"] == "part of a character")
        let short = rows.filter { $0["group"] == "short" }
        #expect(short.contains { $0["token"] == 20 && $0["verified"] == "no" && number($0["norm percentile"]) == 0 })
        let groups = try table(instance.result("groups"))
        #expect(groups.map { $0["group"] } == ["unused", "like unused", "short", "control"])
        #expect(number(groups[0]["share verified"]) == 1 && number(groups[3]["share verified"]) == 0)
        // 9 beside 41 zeros.
        let probability: Double = exp(9.0) / (exp(9.0) + 41)
        #expect(abs(number(groups[3]["median probability"]) - probability) < 1e-6)
        guard case .scalar(let verified) = try instance.result("verified") else {
            throw PluginError(.failed, "no scalar")
        }
        #expect(verified == 2)
        guard case .scalar(let untrained) = try instance.result("untrained") else {
            throw PluginError(.failed, "no scalar")
        }
        #expect(untrained == Double(rows.count { $0["group"] != "unused" && number($0["cosine"]) >= 0.99 }))
    }

    @Test("norms and cosines are those of plain sums")
    func reference() {
        let rows = Planted.rows.map(Double.init)
        func row(_ token: Int) -> [Double] { Array(rows[token * 6..<token * 6 + 6]) }
        let study = TokenStudy(
            TokenEmbedding(Planted.rows, width: 6), count: Planted.text, unused: Planted.unused,
            .init(candidates: 5, controls: 10, repeats: 1, limit: 0.5), seed: 3)
        let mean = (0..<6).map { column in (0..<Planted.text).reduce(0.0) { $0 + row($1)[column] } / 40 }
        let unused = (0..<6).map { column in
            Planted.unused.reduce(0.0) { $0 + row($1)[column] } / 4 - mean[column]
        }
        for finding in study.findings where finding.group != .unused {
            let centred = zip(row(finding.token), mean).map { $0 - $1 }
            let product = zip(centred, unused).reduce(0.0) { $0 + $1.0 * $1.1 }
            let lengths = [centred, unused].map { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }
            #expect(abs(finding.cosine - product / (lengths[0] * lengths[1])) < 1e-5)
            #expect(abs(finding.norm - row(finding.token).reduce(0) { $0 + $1 * $1 }.squareRoot()) < 1e-5)
        }
        #expect(Set(study.findings.map(\.token)).count == study.findings.count)
        let others = TokenStudy(
            TokenEmbedding(Planted.rows, width: 6), count: Planted.text, unused: Planted.unused,
            .init(candidates: 5, controls: 10, repeats: 1, limit: 0.5), seed: 4)
        func controls(_ study: TokenStudy) -> [Int] { study.findings.filter { $0.group == .control }.map(\.token) }
        #expect(controls(study).count == 10 && controls(study) != controls(others))
    }

    @Test("bytes that no UTF-8 has stand where GPT-2's vocabulary has them; another order is refused")
    func unused() throws {
        // Of openai/gpt-2's encoder.json: "!" is 0, "À" 124, "Á" 125, "õ" 177, "ÿ" 187, and byte 0 is "Ā", 188.
        #expect(UnusedTokens.id(ofByte: 0x21) == 0 && UnusedTokens.id(ofByte: 0xC0) == 124)
        #expect(UnusedTokens.id(ofByte: 0xC1) == 125 && UnusedTokens.id(ofByte: 0xF5) == 177)
        #expect(UnusedTokens.id(ofByte: 0xFF) == 187 && UnusedTokens.id(ofByte: 0) == 188)
        #expect(UnusedTokens.id(ofByte: 0x20) == 220)
        #expect(Set((0...255).map(UnusedTokens.id(ofByte:))) == Set(0...255))
        let folder = try TemporaryFolder()
        let plugin = try TestPlugin.built("glitch", in: folder.path)
        var changed = arguments
        changed["unused"] = ""
        let strange = try plugin.instance(changed, services: services())
        #expect { try strange.run([], run()) } throws: { "\($0)".contains("unused=") }
        for wrong in ["40", "3-1", "x", "-1"] {
            changed["unused"] = wrong
            let instance = try plugin.instance(changed, services: services())
            #expect { try instance.run([], run()) } throws: { "\($0)".contains("ids from 0 to 39") }
        }
        changed = arguments
        changed["repeats"] = "15"
        let long = try plugin.instance(changed, services: services())
        #expect { try long.run([], run()) } throws: { "\($0)".contains("at most 14") }
    }

    // MARK: - Sounds

    /// Words of two speakers: those with "ZH" are broken, and so are those of the second speaker that are long.
    private func said(_ recording: UInt64) -> [SoundStudy.Word] {
        var generator = SeededGenerator(seed: recording + 1)
        let sounds = ["AA", "B", "D", "G", "K", "L", "M", "ZH"]
        return (0..<40).map { place in
            let length = 2 + place % 5
            let chosen = Array(sounds.shuffled(using: &generator).prefix(length))
            let isHard = chosen.contains("ZH") ? place % 4 != 0 : recording % 2 == 1 && length > 4 && place % 3 == 0
            return SoundStudy.Word(
                recording: recording, place: place, speaker: "s\(recording % 2)", phonemes: chosen, length: length,
                isBroken: isHard)
        }
    }

    @Test("a planted sound comes first, beyond the null of all; others do not, whatever breaks by length and speaker")
    func sounds() throws {
        let words = (0..<8).flatMap { said($0) }
        let study = try SoundStudy(words, least: 5, permutations: 500, seed: 1)
        let first = study.findings[0]
        #expect(first.phoneme == "ZH" && first.pValueOfAll <= 1.0 / 500 + 1e-9 && first.excess > 0.3)
        #expect(study.findings.dropFirst().allSatisfy { $0.pValueOfAll > 0.05 })
        let own = words.filter { $0.phonemes.contains("ZH") }, others = words.filter { !$0.phonemes.contains("ZH") }
        #expect(first.words == own.count && first.broken == own.count { $0.isBroken })
        #expect(first.without == Double(others.count { $0.isBroken }) / Double(others.count))
        // Whatever the order, the same.
        let again = try SoundStudy(words.reversed(), least: 5, permutations: 500, seed: 1)
        #expect(again.findings.map(\.pValue) == study.findings.map(\.pValue))
        #expect(try SoundStudy([], least: 1, permutations: 100, seed: 1).findings.isEmpty)
        // Where all words are broken, nothing is beyond what is expected.
        let all = words.map { word in
            var word = word
            word.isBroken = true
            return word
        }
        #expect(
            try SoundStudy(all, least: 5, permutations: 100, seed: 1).findings.allSatisfy {
                $0.excess == 0 && $0.pValue == 1
            })
    }

    private func clip(_ recording: UInt64, tokens: [Int32]) -> TestClip {
        var clip = TestClip()
        clip.recording = recording
        clip.name = "\(recording).wav"
        clip.labels = ["speaker": "s"]
        clip.tokens = tokens
        clip.words = [(0, 0.1, ""), (0.1, 0.5, "W5"), (0.5, 0.8, "w6"), (0.8, 1, "<sil>")]
        clip.phonemes = [(0, 0.1, "SIL"), (0.1, 0.3, "W"), (0.3, 0.5, "AY1"), (0.5, 0.8, "S"), (0.8, 1, "sp")]
        return clip
    }

    @Test("the words that a transcript does not have are the broken ones; two states make one")
    func words() throws {
        let folder = try TemporaryFolder()
        let plugin = try TestPlugin.built("glitch", in: folder.path)
        let arguments = ["what": "sounds", "least": "1", "permutations": "100"]
        let whole = try plugin.instance(arguments, services: services())
        #expect(whole.needs.flags == 1 << 2 | 1 << 3)
        // The first has both words, the second lacks w6, the third has no alignment.
        var silent = clip(2, tokens: [41])
        (silent.words, silent.phonemes) = ([], [])
        let clips = [clip(0, tokens: [41, 5, 6]), clip(1, tokens: [41, 5]), silent]
        try whole.run(clips, run())
        let first = try plugin.instance(arguments, services: services())
        let second = try plugin.instance(arguments, services: services())
        try first.activate(run())
        try first.process(clips[0])
        try second.merge(first.save())
        try second.activate(run())
        for clip in clips[1...] { try second.process(clip) }
        try second.finish()
        for instance in [whole, second] {
            guard case .scalar(4) = try instance.result("words"), case .scalar(1) = try instance.result("broken") else {
                throw PluginError(.failed, "other words")
            }
            let rows = try table(instance.result("sounds"))
            for sound: Cell in ["W", "AY", "S"] { #expect(rows.count { $0["sound"] == sound } == 1) }
            #expect(rows.count == 3)
            let hard = try #require(rows.first { $0["sound"] == "S" })
            #expect(number(hard["words"]) == 2 && number(hard["share broken"]) == 0.5)
            #expect(number(hard["share without"]) == 0)
            #expect(instance.log.contains { $0.contains("1 recordings have no words") })
        }
    }
}
