import Foundation
import Kernels
import PluginKit
import TestHost
import TestSupport
import Testing
import Whisper

/// A Whisper whose weights were written by hand, so that it is known what it does.
///
/// The encoder hears nothing: its stream is the positional embedding, sines and cosines of six frequencies with their
/// negatives, of which layer normalisation makes the same times √2. In block 0 a query is its position's embedding turned
/// by an angle, so it meets the key that lies at a fixed offset. In block 1 queries are 0, so attention is even.
/// The decoder has a stream with an axis for each token; its MLP moves what it finds on one axis to the next.
private struct PlantedWeights: WeightSource {
    static let dimensions = ModelDimensions(
        nMels: 8, nAudioCtx: 150, nAudioState: 24, nAudioHead: 2, nAudioLayer: 2,
        nVocab: 24, nTextCtx: 40, nTextState: 24, nTextHead: 2, nTextLayer: 1)
    /// In frames, of the heads of block 0.
    static let offsets = [3, -7]
    private static let frequencies = [1, 5, 19, 37, 61, 83].map { 2 * Double.pi * Double($0) / 300 }
    static let (embedding, shift): (Double, Double) = (4, 3)
    private static let gain = 10.0

    let names: [String] = []

    func tensor(_ name: String, shape: [Int]) throws -> Tensor {
        if shape.count == 1 {
            let isGain = name.hasSuffix("ln.weight") || name.hasSuffix("ln_post.weight")
            return Tensor(shape: shape, [Float](repeating: isGain ? 1 : 0, count: shape[0]))
        }
        let width = shape[shape.count - 1]
        func matrix(_ entry: (Int, Int) -> Double) -> Tensor {
            Tensor(shape: shape, (0..<shape[0] * width).map { Float(entry($0 / width, $0 % width)) })
        }
        switch name {
        case "encoder.positional_embedding":
            return matrix { frame, channel in
                let angle = Self.frequencies[channel % 6] * Double(frame)
                return (channel % 12 < 6 ? sin(angle) : cos(angle)) * (channel < 12 ? 1 : -1)
            }
        // A head has twelve channels: sines, then cosines.
        case "encoder.blocks.0.attn.key.weight": return matrix { output, input in output % 12 == input ? 1 : 0 }
        case "encoder.blocks.0.attn.query.weight":
            return matrix { output, input in
                let angle = Self.frequencies[output % 6] * Double(Self.offsets[output / 12])
                if output % 12 == input { return Self.gain * cos(angle) }
                // sin(x + a) = sin x cos a + cos x sin a, and cos(x + a) = cos x cos a − sin x sin a.
                guard input < 12, output % 6 == input % 6 else { return 0 }
                return Self.gain * (output % 12 < 6 ? sin(angle) : -sin(angle))
            }
        case "decoder.token_embedding.weight": return matrix { $0 == $1 ? Self.embedding : 0 }
        case "decoder.blocks.0.mlp.0.weight": return matrix { $0 == $1 ? 1 : 0 }
        case "decoder.blocks.0.mlp.2.weight":
            return matrix { output, input in input < 24 && output == (input + 1) % 24 ? Self.shift : 0 }
        default: return Tensor(shape: shape)
        }
    }

    static func model() throws -> WhisperModel {
        try WhisperModel(
            Checkpoint(
                format: .openAI, dimensions: dimensions, weights: PlantedWeights(), vocabulary: nil,
                generation: GenerationConfig()))
    }
}

@Suite("What was planted in a model's weights")
struct PlantedWeightsTests {
    private let folder: TemporaryFolder
    private let model: WhisperModel

    init() throws {
        folder = try TemporaryFolder()
        model = try PlantedWeights.model()
    }

    @Test("Heads at offsets 3 and −7, and heads that look everywhere, are found in what the engine computes")
    func heads() throws {
        let (valid, keys) = (100, PlantedWeights.dimensions.nAudioCtx)
        var clip = TestClip()
        clip.validFrames = valid
        let hooks = try Set(HookPoint.matching("encoder.blocks.*.attn.pattern", in: model.dimensions))
        let run = try HookRun(HookPlan(captures: hooks, validFrames: valid), dimensions: model.dimensions) {
            clip.tensors.append(
                TestTensor($0.hook.name, axes: $0.axes, shape: $0.tensor.shape, values: $0.tensor.elements))
        }
        _ = try model.encode(Tensor(shape: [8, 2 * keys]), hooks: run)
        let heads = try AttentionStatsRun().heads([clip])
        try #require(heads.count == 4)
        for (head, offset) in zip(heads, PlantedWeights.offsets) {
            #expect(head.number("offset") == Double(offset))
            #expect(head.text("class") == "positional")
            #expect(head.number("offset share") > 0.9)
        }
        // Three frames ahead there is always one, seven back there is none for the first seven queries.
        #expect(abs(heads[0].number("distance") - 0.06) < 1e-4)
        #expect(heads[0].number("within 1") < 1e-3 && heads[0].number("within 5") > 0.999)
        #expect(abs(heads[1].number("offset share") - 0.93) < 2e-3)
        // Even attention: the mean of |q − k| over 100 queries and 150 keys, and ln 150.
        let far = (0..<valid).reduce(0) { sum, q in sum + (0..<keys).reduce(0) { $0 + abs(q - $1) } }
        for head in heads[2...] {
            #expect(abs(head.number("distance") - 0.02 * Double(far) / Double(valid * keys)) < 1e-6)
            #expect(abs(head.number("entropy") - log(150)) < 1e-6)
            #expect(abs(head.number("padding") - 50.0 / 150) < 1e-6)
            #expect(head.text("class") == "global")
        }
    }

    private static let words =
        ["<|startoftranscript|>", "<|en|>", "<|transcribe|>"] + (3..<24).map { " word\($0)" }

    @Test("A decoder that says the next token of its vocabulary is found out, with its logits", arguments: [3, 11, 22])
    func bigram(_ token: Int) throws {
        let audio = try model.encode(Tensor(shape: [8, 300]))
        var services = TestServices()
        services.encode = { text, _ in Self.words.firstIndex(of: text).map { [Int32($0)] } ?? [] }
        services.decode = { ids in ids.map { Self.words[Int($0)] }.joined() }
        services.logits = { _, sequences in
            let rows = try sequences.map { sequence in
                try model.decode([sequence.map(Int.init)], cache: model.decoderCache(audio: audio), lastOnly: true)
            }
            return TestTensor(
                "", axes: ["", "vocab"], shape: [rows.count, Self.words.count], values: rows.flatMap(\.elements))
        }
        let plugin = try TestPlugin.built("bigrams", in: folder.path)
        let instance = try plugin.instance(["prompt": "word\(token)", "top": "2"], services: services)
        var run = TestRun()
        run.nVocab = Self.words.count
        try instance.run([], run)
        let rows = try AttentionStatsRun.rows(instance.result("next"))
        try #require(rows.count == 2)
        let expected = Self.logits(after: token)
        // The next word, and behind it the word itself, which the stream still holds.
        for (row, answer) in zip(rows, [token + 1, token]) {
            #expect(row.number("token") == Double(answer))
            #expect(abs(row.number("logit") - expected[answer]) < 1e-4)
            let partition = expected.reduce(0) { $0 + exp($1) }
            #expect(abs(row.number("probability") - exp(expected[answer]) / partition) < 1e-4)
        }
    }

    /// The decoder by hand: embedding, MLP with what it moves, normalisation, and the embedding again.
    private static func logits(after token: Int) -> [Double] {
        func normalised(_ x: [Double]) -> [Double] {
            let mean = x.reduce(0, +) / Double(x.count)
            let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)
            return x.map { ($0 - mean) / (variance + 1e-5).squareRoot() }
        }
        var stream = [Double](repeating: 0, count: 24)
        stream[token] = PlantedWeights.embedding
        let neurons = normalised(stream).map { 0.5 * $0 * (1 + erf($0 / 2.squareRoot())) }
        for (axis, neuron) in neurons.enumerated() { stream[(axis + 1) % 24] += PlantedWeights.shift * neuron }
        return normalised(stream).map { $0 * PlantedWeights.embedding }
    }
}
