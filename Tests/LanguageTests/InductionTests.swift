import Foundation
import PluginDraws
import PluginKit
import TestHost
import TestSupport
import Testing

@testable import Induction

@Suite("Induction")
struct InductionTests {
    private func table(_ value: TestResult.Value) throws -> [[String: Cell]] {
        guard case .table(let columns, let rows) = value else { throw PluginError(.failed, "no table") }
        return rows.map { Dictionary(zip(columns, $0)) { first, _ in first } }
    }

    private func number(_ cell: Cell?) -> Double { if case .number(let number) = cell { number } else { .nan } }

    private func row(_ rows: [[String: Cell]], _ part: Cell, _ kind: Cell, _ layer: Cell, _ head: Cell) throws
        -> [String: Cell]
    {
        try #require(
            rows.first { $0["part"] == part && $0["kind"] == kind && $0["layer"] == layer && $0["head"] == head })
    }

    // MARK: - A model whose heads are known

    private static let vocabulary = 200, text = 190, frames = 400

    /// Decoder, two layers of two heads: (0, 0) to the token before, (0, 1) evenly, (1, 0) induction where the token came before, else the
    /// first, (1, 1) to the same token before, else itself.
    private static func decoderPattern(_ tokens: [Int32], layer: Int) -> [Float] {
        let count = tokens.count
        var pattern = [Float](repeating: 0, count: 2 * count * count)
        for head in 0..<2 {
            for query in 0..<count {
                let before = (0..<query).last { tokens[$0] == tokens[query] }
                func set(_ key: Int, _ value: Float) { pattern[(head * count + query) * count + key] = value }
                switch (layer, head) {
                case (0, 0): set(max(0, query - 1), 1)
                case (0, _): for key in 0...query { set(key, 1 / Float(query + 1)) }
                case (_, 0): set(before.map { $0 + 1 } ?? 0, 1)
                default: set(before ?? query, 1)
                }
            }
        }
        return pattern
    }

    /// Where the second half of tokens repeats the first, the next is foreseen; else all are as probable.
    private static func logits(_ tokens: [Int32]) -> [Float] {
        tokens.indices.flatMap { place -> [Float] in
            var row = [Float](repeating: 0, count: vocabulary)
            if let before = (0..<place).last(where: { tokens[$0] == tokens[place] && $0 + 1 < place }) {
                row[Int(tokens[before + 1])] = 10
            }
            return row
        }
    }

    /// Encoder, one layer of three heads over loud frames: where a frame's sound was heard before, head 0 looks behind the piece of which it
    /// was a part, head 1 at that frame; else they look at the last key. Head 2 looks three frames back.
    private static func encoderPattern(_ samples: [Float], length: Int) -> (rows: Int, values: [Float]) {
        let rows = samples.count / 320
        // A sample in the middle of a frame stands for its sound.
        let sounds = (0..<rows).map { samples[$0 * 320 + 160] }
        var pattern = [Float](repeating: 0, count: 3 * rows * frames)
        func set(_ head: Int, _ query: Int, _ key: Int) { pattern[(head * rows + query) * frames + key] = 1 }
        for query in 0..<rows {
            let begin = rows - length
            let before = query < begin ? nil : (0..<begin - 10).first { abs(sounds[$0] - sounds[query]) < 1e-7 }
            // The first A's end: as far behind as the second A has left, and its frame.
            set(0, query, before.map { $0 + rows - query } ?? frames - 1)
            set(1, query, before ?? frames - 1)
            set(2, query, max(0, query - 3))
        }
        return (rows, pattern)
    }

    private func services(decoder: Bool = true) -> TestServices {
        var services = TestServices()
        services.encode = { text, special in
            guard special else { return [] }
            return switch text {
            case "<|endoftext|>": [Int32(Self.text)]
            case "<|startoftranscript|>": [191]
            case "<|notimestamps|>": [192]
            default: [1, 2]
            }
        }
        services.decode = { ids in
            ids.map { $0 >= 190 ? "<|\($0)|>" : $0 == 7 ? "ly" : " word\($0)" }.joined()
        }
        services.run = { samples, tokens, interventions, hooks in
            #expect(interventions.isEmpty)
            if let samples {
                #expect(hooks == ["encoder.blocks.*.attn.pattern"] && tokens.isEmpty)
                let (rows, values) = Self.encoderPattern(samples, length: 20)
                return [
                    TestTensor(
                        "encoder.blocks.0.attn.pattern", axes: ["head", "frame", "key_frame"],
                        shape: [3, rows, Self.frames], values: values)
                ]
            }
            #expect(tokens.prefix(2) == [191, 192] && Set(tokens[2..<2 + 20]).count == 20)
            return (0..<2).map { layer in
                TestTensor(
                    "decoder.blocks.\(layer).attn.pattern", axes: ["head", "token", "key_token"],
                    shape: [2, tokens.count, tokens.count], values: Self.decoderPattern(tokens, layer: layer))
            } + [
                TestTensor(
                    "decoder.logits", axes: ["token", "vocab"], shape: [tokens.count, Self.vocabulary],
                    values: Self.logits(tokens))
            ]
        }
        return services
    }

    private func run() -> TestRun {
        var run = TestRun()
        (run.nVocab, run.nTextCtx, run.nAudioCtx) = (Self.vocabulary, 64, Self.frames)
        return run
    }

    /// A recording each frame of which sounds otherwise, half of it louder.
    private func clip(_ recording: UInt64, seconds: Int = 3) -> TestClip {
        var clip = TestClip()
        clip.recording = recording
        clip.name = "\(recording).wav"
        clip.duration = Double(seconds)
        clip.validFrames = 50 * seconds
        clip.samples = (0..<seconds * 50).flatMap { frame in
            let value = (frame % 100 < 60 ? 0.3 : 0.03) + 0.001 * Float(frame) + 0.0001 * Float(recording)
            return [Float](repeating: value, count: 320)
        }
        return clip
    }

    // MARK: - The decoder

    @Test("planted heads of the decoder stand first of their kinds, with their shares and nulls, and copying is told")
    func decoder() throws {
        let folder = try TemporaryFolder()
        let instance = try TestPlugin.built("induction", in: folder.path).instance(
            ["parts": "decoder", "sequences": "4", "tokens": "20", "language": ""], services: services())
        #expect(instance.needs.flags == 1 << 5 && instance.needs.hooks.isEmpty)
        try instance.run([], run())
        let rows = try table(instance.result("heads"))
        for (kind, layer, head): (Cell, Cell, Cell) in [
            ("induction", 1, 0), ("duplicate", 1, 1), ("previous", 0, 0),
        ] {
            let found = try row(rows, "decoder", kind, layer, head)
            #expect(abs(number(found["score"]) - 1) < 1e-6)
            let best = try table(instance.result("best")).first { $0["kind"] == kind && $0["part"] == "decoder" }
            #expect(best?["layer"] == layer && best?["head"] == head)
        }
        // Other tokens may be drawn that stood in the first copy: few of them.
        #expect(number(try row(rows, "decoder", "induction", 1, 0)["null"]) < 0.1)
        // (1, 0) looks at the first token where nothing is repeated.
        #expect(number(try row(rows, "decoder", "first", 1, 0)["score"]) > 0.7)
        let even = try row(rows, "decoder", "first", 0, 1)
        #expect(abs(number(even["excess"])) < 1e-6)
        let copying = try #require(table(instance.result("copying")).first)
        #expect(number(copying["tokens"]) == 4 * 19 && number(copying["most probable"]) == 1)
        let certain: Double = 10 - log(exp(10.0) + Double(Self.vocabulary - 1))
        #expect(abs(number(copying["second copy"]) - certain) < 1e-6)
        #expect(abs(number(copying["first copy"]) + log(Double(Self.vocabulary))) < 1e-6)
        #expect(number(copying["other tokens"]) < -5)
    }

    // MARK: - The encoder

    @Test("a sound that comes twice: the head that looks behind it, the one that looks at it, and one at an offset")
    func encoder() throws {
        let folder = try TemporaryFolder()
        let plugin = try TestPlugin.built("induction", in: folder.path)
        let arguments = ["parts": "encoder"]
        let whole = try plugin.instance(arguments, services: services())
        #expect(whole.needs.flags == 1 << 1 && whole.needs.hooks.isEmpty)
        try whole.run([clip(0), clip(1), clip(2, seconds: 1)], run())
        let first = try plugin.instance(arguments, services: services())
        let second = try plugin.instance(arguments, services: services())
        try first.activate(run())
        try first.process(clip(0))
        try second.merge(first.save())
        try second.activate(run())
        try second.process(clip(1))
        try second.process(clip(2, seconds: 1))
        try second.finish()
        for instance in [whole, second] {
            guard case .scalar(2) = try instance.result("repeated") else { throw PluginError(.failed, "not two") }
            #expect(instance.log.contains { $0.contains("1 recordings are too short") })
            let rows = try table(instance.result("heads"))
            let induction = try row(rows, "encoder", "induction", 0, 0)
            #expect(abs(number(induction["score"]) - 1) < 1e-6 && number(induction["null"]) < 0.6)
            let same = try row(rows, "encoder", "same-sound", 0, 1)
            #expect(abs(number(same["score"]) - 1) < 1e-6 && abs(number(same["null"])) < 1e-6)
            #expect(number(try row(rows, "encoder", "induction", 0, 2)["score"]) == 0)
            let offset = try row(rows, "encoder", "offset", 0, 2)
            #expect(offset["note"] == "-3 frames" && number(offset["score"]) > 0.95)
        }
        let wrong = try plugin.instance(arguments, services: services())
        var short = run()
        short.nAudioCtx = 1
        try wrong.run([clip(0)], short)
        #expect(wrong.log.contains { $0.contains("too short") })
    }

    @Test(
        "pieces of a sound: as many samples on both sides, A where it is said to be, and another piece that does not meet it"
    )
    func pieces() throws {
        let samples = try #require(clip(0).samples)
        for key in UInt64(0)..<20 {
            let sound = try #require(
                samples.withUnsafeBufferPointer {
                    RepeatedSound($0, length: 20, window: 400 * 320, key: Hashing.stirred(key))
                })
            #expect(sound.repeated.count == sound.null.count && sound.repeated.count == (sound.second + 20) * 320)
            for place in 0..<20 {
                let own = sound.repeated[(sound.second + place) * 320 + 160]
                #expect(own == samples[(sound.first + place) * 320 + 160])
            }
            // A sample stands for its frame; the other piece is none of A's, nor of what follows it.
            let other = sound.null[(sound.second + 10) * 320]
            let place = samples.firstIndex(of: other).map { $0 / 320 - 10 } ?? -1
            #expect(place + 20 <= sound.first || place >= sound.first + 30)
        }
        let quiet = [Float](repeating: 0, count: 48_000)
        #expect(quiet.withUnsafeBufferPointer { RepeatedSound($0, length: 20, window: 480_000, key: 1) } == nil)
    }

    // MARK: - Cross-attention

    @Test("the head that looks at the word that is written, where words are those of the data set")
    func cross() throws {
        let folder = try TemporaryFolder()
        let plugin = try TestPlugin.built("induction", in: folder.path)
        // word3 wordly word5: two tokens of the second word; word9 is not what was said.
        let tokens: [Int32] = [191, 192, 3, 8, 7, 5, 9]
        let words = [(0.2, 0.4, "Word3"), (0.6, 0.8, "word8ly"), (1.0, 1.2, "word5"), (1.4, 1.6, "other")]
        var clip = clip(0)
        clip.tokens = tokens
        clip.words = words.map { (start: $0.0, end: $0.1, label: $0.2) }
        var pattern = [Float](repeating: 0, count: 2 * tokens.count * Self.frames)
        // Head 0 looks at the middle of the word that comes next; head 1 evenly.
        for (row, word) in [(1, 0), (2, 1), (3, 1), (4, 2)] {
            pattern[row * Self.frames + Int((words[word].0 + 0.1) * 50)] = 1
        }
        for place in tokens.count * Self.frames..<pattern.count { pattern[place] = 1 / Float(Self.frames) }
        clip.tensors = [
            TestTensor(
                "decoder.blocks.0.cross_attn.pattern", axes: ["head", "token", "key_frame"],
                shape: [2, tokens.count, Self.frames], values: pattern)
        ]
        let instance = try plugin.instance(["parts": "cross", "tolerance": "0"], services: services())
        #expect(instance.needs.hooks == ["decoder.blocks.*.cross_attn.pattern"] && instance.needs.flags == 1 << 2)
        try instance.run([clip], run())
        let rows = try table(instance.result("heads"))
        let aligner = try row(rows, "cross", "aligner", 0, 0)
        // Half of four rows further is another word for each.
        #expect(number(aligner["score"]) == 1 && number(aligner["null"]) == 0)
        let even = try row(rows, "cross", "aligner", 0, 1)
        #expect(abs(number(even["score"]) - 10 / Double(Self.frames)) < 1e-6 && abs(number(even["excess"])) < 1e-6)
        // Without words there is nothing to tell, and that is said.
        clip.words = []
        let silent = try plugin.instance(["parts": "cross"], services: services())
        try silent.run([clip], run())
        #expect(silent.log.contains { $0.contains("no aligners") })
        #expect(throws: TestHostError.self) { try silent.result("heads") }
    }

    @Test("unknown parts, too many tokens, patterns of another shape and damaged states are refused in words")
    func refused() throws {
        let folder = try TemporaryFolder()
        let plugin = try TestPlugin.built("induction", in: folder.path)
        #expect { try plugin.instance(["parts": "decoder,ears"]) } throws: { "\($0)".contains("ears") }
        let long = try plugin.instance(["parts": "decoder", "tokens": "40", "language": ""], services: services())
        #expect { try long.run([], run()) } throws: { "\($0)".contains("tokens is 40") }
        var broken = services()
        broken.run = { _, _, _, _ in
            [
                TestTensor(
                    "encoder.blocks.0.attn.pattern", axes: [], shape: [1, 4, 4],
                    values: [Float](repeating: 1, count: 16))
            ]
        }
        let instance = try plugin.instance(["parts": "encoder"], services: broken)
        try instance.activate(run())
        #expect { try instance.process(clip(0)) } throws: { "\($0)".contains("[1, 4, 4]") }
        var other = HeadTable(), table = HeadTable()
        table.add(.aligner, layer: 0, head: 0, score: 1, null: 0)
        other.add(.aligner, layer: 0, head: 1, score: 1, null: 0)
        #expect(!table.takes(other) && table.takes(table) && HeadTable().takes(other))
    }

    @Test("a mean difference in its standard errors, by hand")
    func evidence() {
        var evidence = HeadEvidence()
        for (score, null) in [(0.5, 0.1), (0.7, 0.1), (0.6, 0.1)] { evidence.add(score: score, null: null) }
        // 0.4, 0.6, 0.5: mean 0.5, standard deviation 0.1.
        #expect(abs(evidence.excess - 0.5) < 1e-12)
        #expect(abs(evidence.standardised - 0.5 / (0.1 / 3.0.squareRoot())) < 1e-6)
        #expect(HeadEvidence().standardised.isNaN && HeadEvidence().meanScore.isNaN)
    }
}
