import Foundation
import PluginKit
import TestHost
import TestSupport
import Testing

@testable import Lens

@Suite("Lens")
struct LensTests {
    /// A decoder of two blocks, 8 wide, whose 16 tokens are the axes of the stream and their negatives.
    private enum Planted {
        static let width = 8, vocabulary = 16, encoderBlocks = 2

        static var embedding: [Float] {
            (0..<vocabulary).flatMap { token in
                (0..<width).map { $0 == token % width ? (token < width ? 1 : -1) : 0 }
            }
        }

        /// The stream that says a token: its axis, with something small on the others.
        static func stream(_ token: Int, _ generator: inout SeededGenerator) -> [Float] {
            var row: [Float] = generator.floats(width, in: -0.1...0.1)
            row[token % width] += token < width ? 4 : -4
            return row
        }

        /// LayerNorm with gain 1 and bias 0, and the products with the embedding, in double precision.
        static func logits(_ row: [Float]) -> [Double] {
            let x = row.map(Double.init), mean = x.reduce(0, +) / Double(width)
            let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
            let normalised = x.map { ($0 - mean) / (variance + 1e-5).squareRoot() }
            return (0..<vocabulary).map { $0 < width ? normalised[$0] : -normalised[$0 - width] }
        }

        static func logProbabilities(_ logits: [Double]) -> [Double] {
            let sum = log(logits.reduce(0) { $0 + exp($1) })
            return logits.map { $0 - sum }
        }
    }

    private static let words = ["<|startoftranscript|>", "<|notimestamps|>"] + (2..<16).map { " w\($0)" }

    private func services(transcripts: [String] = ["", "a cat", "a big cat"]) -> TestServices {
        var services = TestServices()
        services.weights = { name in
            switch name {
            case "decoder.token_embedding.weight":
                return TestTensor(
                    "", axes: ["vocab", "state"], shape: [Planted.vocabulary, Planted.width], values: Planted.embedding)
            case "decoder.ln.weight", "decoder.ln.bias":
                let value: Float = name.hasSuffix("weight") ? 1 : 0
                return TestTensor(
                    "", axes: ["state"], shape: [Planted.width],
                    values: [Float](repeating: value, count: Planted.width))
            default: throw PluginError(.notFound, "there is no \(name)")
            }
        }
        services.decode = { ids in ids.map { Self.words[Int($0)] }.joined() }
        services.transcribe = { _, language, interventions in
            #expect(language == "en")
            // The stage that is read is the one behind which all is silent.
            let stage = Planted.encoderBlocks - interventions.count / 2
            let expected = (stage..<Planted.encoderBlocks).flatMap {
                ["encoder.blocks.\($0).attn = zero", "encoder.blocks.\($0).mlp = zero"]
            }
            guard interventions == expected, transcripts.indices.contains(stage) else {
                throw PluginError(.failed, "unexpected: \(interventions)")
            }
            return transcripts[stage]
        }
        return services
    }

    /// What each layer says at each position, from the last token of the prompt on: embedding, block 0, block 1.
    private static let said = [[3, 4, 5], [3, 9, 5], [3, 9, 12]]

    private func clip(
        _ seed: UInt64, name: String = "a.wav", text: String? = "a big cat"
    ) -> (clip: TestClip, rows: [[[Float]]]) {
        var generator = SeededGenerator(seed: seed)
        var layers: [[[Float]]] = []
        for layer in 0..<3 {
            // The first position is the prompt's own, before its last token.
            layers.append(([2] + (0..<3).map { Self.said[layer][$0] }).map { Planted.stream($0, &generator) })
        }
        var clip = TestClip()
        clip.name = name
        clip.tokens = [0, 1, 3, 9]
        clip.samples = [Float](repeating: 0.1, count: 320)
        clip.labels = ["language": "en"]
        clip.labels["text"] = text
        let names = ["decoder.blocks.0.resid_pre", "decoder.blocks.0", "decoder.blocks.1"]
        clip.tensors = zip(names, layers).map { name, rows in
            TestTensor(name, axes: ["token", "state"], shape: [4, Planted.width], values: Array(rows.joined()))
        }
        let logits = layers[2].flatMap { Planted.logits($0).map(Float.init) }
        clip.tensors.append(
            TestTensor("decoder.logits", axes: ["token", "vocab"], shape: [4, Planted.vocabulary], values: logits))
        return (clip, layers)
    }

    private func run() -> TestRun {
        var run = TestRun()
        (run.nVocab, run.nTextState, run.nAudioLayer) = (Planted.vocabulary, Planted.width, Planted.encoderBlocks)
        return run
    }

    private func table(_ value: TestResult.Value) throws -> [[String: Cell]] {
        guard case .table(let columns, let rows) = value else { throw PluginError(.failed, "no table") }
        return rows.map { Dictionary(zip(columns, $0)) { first, _ in first } }
    }

    private func number(_ cell: Cell?) -> Double { if case .number(let number) = cell { number } else { .nan } }

    @Test("a prediction's rank, log-probability, divergence and entropy are those of plain sums")
    func prediction() {
        var generator = SeededGenerator(seed: 1)
        let own: [Float] = generator.floats(50, in: -3...3), last: [Float] = generator.floats(50, in: -3...3)
        let found = own.withUnsafeBufferPointer { own in
            last.withUnsafeBufferPointer { Prediction(own, final: $0, finalPartition: Prediction.partition($0)) }
        }
        let p = Planted.logProbabilities(last.map(Double.init)), q = Planted.logProbabilities(own.map(Double.init))
        let token = last.indices.max { last[$0] < last[$1] } ?? 0
        #expect(found.rank == own.count { $0 > own[token] } + 1)
        #expect(abs(found.logProbability - q[token]) < 1e-12)
        let divergence = zip(p, q).reduce(0.0) { $0 + exp($1.0) * ($1.0 - $1.1) }
        let entropy = q.reduce(0.0) { $0 - exp($1) * $1 }
        #expect(abs(found.divergence - divergence) < 1e-12 && abs(found.entropy - entropy) < 1e-12)
        // A token that cannot come has no part in it.
        let masked: [Float] = [1, 2, -.infinity]
        let same = masked.withUnsafeBufferPointer {
            Prediction($0, final: $0, finalPartition: Prediction.partition($0))
        }
        #expect(same.divergence == 0 && same.rank == 1 && same.top == 1 && same.entropy.isFinite)
    }

    @Test(
        "the layer from which on a planted token is said is found, with its numbers, and the states of two runs make one"
    )
    func planted() throws {
        let folder = try TemporaryFolder()
        let plugin = try TestPlugin.built("lens", in: folder.path)
        let (first, second) = (clip(2), clip(3, name: "b.wav"))
        let whole = try plugin.instance(services: services())
        #expect(whole.needs.hooks.contains("decoder.logits"))
        try whole.run([first.clip, second.clip], run())
        let one = try plugin.instance(services: services()), other = try plugin.instance(services: services())
        try one.activate(run())
        try one.process(first.clip)
        try other.merge(one.save())
        try other.activate(run())
        try other.process(second.clip)
        try other.finish()
        for instance in [whole, other] {
            let rows = try table(instance.result("layers"))
            try #require(rows.count == 3)
            #expect(rows.map { $0["layer"] } == ["embedding", "block 0", "block 1"])
            #expect(rows.map { number($0["tokens"]) } == [6, 6, 6])
            // One of three tokens is settled in each layer.
            for row in rows { #expect(abs(number(row["settled"]) - 1.0 / 3) < 1e-12) }
            for (row, share) in zip(rows, [1.0 / 3, 2.0 / 3, 1]) {
                #expect(abs(number(row["first"]) - share) < 1e-12)
            }
            for layer in 0..<3 {
                var (log, divergence) = (0.0, 0.0)
                for rows in [first.rows, second.rows] {
                    for position in 1..<4 {
                        let own = Planted.logProbabilities(Planted.logits(rows[layer][position]))
                        let last = Planted.logProbabilities(Planted.logits(rows[2][position]))
                        log += own[Self.said[2][position - 1]] / 6
                        divergence += zip(last, own).reduce(0.0) { $0 + exp($1.0) * ($1.0 - $1.1) } / 6
                    }
                }
                #expect(abs(number(rows[layer]["log-probability"]) - log) < 1e-5)
                #expect(abs(number(rows[layer]["KL from final"]) - divergence) < 1e-5)
            }
            let encoder = try table(instance.result("encoder"))
            #expect(encoder.map { $0["stage"] } == ["convolutions", "block 0", "block 1"])
            #expect(encoder.map { number($0["empty"]) } == [2, 0, 0])
            for (row, rate) in zip(encoder, [1, 1.0 / 3, 0]) {
                #expect(abs(number(row["WER"]) - rate) < 1e-12 && abs(number(row["WER from whole"]) - rate) < 1e-12)
            }
        }
        let tokens = try table(whole.result("tokens", recording: "a.wav"))
        #expect(tokens.map { $0["token"] } == [" w3", " w9", " w12"])
        #expect(tokens.map { number($0["id"]) } == [3, 9, 12] && tokens.map { number($0["after id"]) } == [1, 3, 9])
        #expect(tokens.map { $0["embedding top"] } == [" w3", " w4", " w5"])
        #expect(tokens.map { number($0["block 1 rank"]) } == [1, 1, 1])
        guard case .array(_, let shape) = try whole.result("map", recording: "b.wav") else {
            throw PluginError(.failed, "no map")
        }
        #expect(shape == [3, 3])
    }

    @Test("without texts, transcripts are compared with that of the whole encoder; encoder=false asks for none")
    func encoder() throws {
        let folder = try TemporaryFolder()
        let plugin = try TestPlugin.built("lens", in: folder.path)
        let instance = try plugin.instance(["tokens": "false"], services: services(transcripts: ["x", "x y", "x y"]))
        try instance.run([clip(2, text: nil).clip], run())
        let rows = try table(instance.result("encoder"))
        #expect(rows.allSatisfy { number($0["WER"]).isNaN })
        #expect(rows.map { number($0["WER from whole"]) } == [0.5, 0, 0])
        #expect(throws: TestHostError.self) { try instance.result("tokens", recording: "a.wav") }
        let decoder = try plugin.instance(["encoder": "false"], services: services(transcripts: []))
        try decoder.run([clip(2).clip], run())
        #expect(throws: TestHostError.self) { try decoder.result("encoder") }
    }

    @Test("logits and streams of another shape, weights of another model and damaged states are refused in words")
    func refused() throws {
        let folder = try TemporaryFolder()
        let plugin = try TestPlugin.built("lens", in: folder.path)
        var broken = clip(2).clip
        broken.tensors[1].shape = [2, 16]
        let instance = try plugin.instance(services: services())
        try instance.activate(run())
        #expect { try instance.process(broken) } throws: { "\($0)".contains("decoder.blocks.0") }
        var wide = run()
        wide.nVocab = 17
        let stranger = try plugin.instance(services: services())
        try stranger.activate(wide)
        #expect { try stranger.process(clip(2).clip) } throws: { "\($0)".contains("[16, 8]") }
        var bytes = try instance.save()
        bytes.removeLast()
        let fresh = try plugin.instance(services: services())
        #expect(throws: TestHostError.self) { try fresh.merge(bytes) }
        // A recording that the decoder reads nothing of is passed over.
        var empty = clip(2).clip
        empty.tokens = []
        let quiet = try plugin.instance(["encoder": "false"], services: services())
        try quiet.run([empty], run())
        #expect(throws: TestHostError.self) { try quiet.result("layers") }
    }
}
