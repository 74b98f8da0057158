import Foundation
import Kernels
import TestSupport
import Testing
import Whisper

/// What one head gives to another, against the same computed from weights and activations in double precision.
@Suite("Edges") struct EdgeTests {
    let model: WhisperModel
    let dimensions = SyntheticModel.dimensions
    let weights = SyntheticWeights(seed: 1)

    init() throws { model = try SyntheticModel.make() }

    private func run(_ interventions: [String], _ hooks: [String]) throws -> [String: Tensor] {
        try model.captured(hooks, interventions: interventions).mapValues(\.tensor)
    }

    private func matrix(_ name: String, _ rows: Int, _ columns: Int) throws -> [[Double]] {
        let tensor = try weights.tensor(name, shape: [rows, columns])
        return (0..<rows).map { row in (0..<columns).map { Double(tensor[row, $0]) } }
    }

    private func vector(_ name: String, _ count: Int) throws -> [Double] {
        try weights.tensor(name, shape: [count]).elements.map(Double.init)
    }

    /// The reader's value at one position: of the stream less a part of it, normalised, through one layer.
    private func read(
        _ stream: [Double], less part: [Double], _ block: String, norm: String, layer: String, outputs: Int, bias: Bool
    ) throws -> [Double] {
        let x = zip(stream, part).map { $0 - $1 }
        let mean = x.reduce(0, +) / 24, variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 24
        let gain = try vector("\(block).\(norm).weight", 24), shift = try vector("\(block).\(norm).bias", 24)
        let h = x.indices.map { (x[$0] - mean) / (variance + 1e-5).squareRoot() * gain[$0] + shift[$0] }
        let w = try matrix("\(block).\(layer).weight", outputs, 24)
        let b = try bias ? vector("\(block).\(layer).bias", outputs) : [Double](repeating: 0, count: outputs)
        return (0..<outputs).map { row in b[row] + zip(w[row], h).reduce(0) { $0 + $1.0 * $1.1 } }
    }

    /// What head `head` adds to the stream at one position.
    private func contribution(_ z: Tensor, _ position: Int, _ head: Int, _ block: String, _ attention: String) throws
        -> [Double]
    {
        let out = try matrix("\(block).\(attention).out.weight", 24, 24), width = z.shape[2]
        return out.map { row in (0..<width).reduce(0) { $0 + row[head * width + $1] * Double(z[position, head, $1]) } }
    }

    @Test("a head's queries are those of the stream without what another head gave; all else keeps its bits")
    func heads() throws {
        let hooks = ["encoder.blocks.0.attn.z", "encoder.blocks.2.resid_pre", "encoder.blocks.2.attn.{q,k,v}"]
        let clean = try run([], hooks)
        let patched = try run(
            ["encoder.blocks.0.attn.z @heads 1 @frames 40:90 @to encoder.blocks.2.attn.q:2 = zero"], hooks)
        for name in clean.keys where name != "encoder.blocks.2.attn.q" {
            #expect(patched[name]?.elements == clean[name]?.elements, "\(name)")
        }
        let (z, stream) = (
            try #require(clean["encoder.blocks.0.attn.z"]), try #require(clean["encoder.blocks.2.resid_pre"])
        )
        let (before, after) = (
            try #require(clean["encoder.blocks.2.attn.q"]), try #require(patched["encoder.blocks.2.attn.q"])
        )
        for frame in [0, 39, 40, 66, 89, 90, 149] {
            let part =
                (40..<90).contains(frame)
                ? try contribution(z, frame, 1, "encoder.blocks.0", "attn") : [Double](repeating: 0, count: 24)
            let q = try read(
                (0..<24).map { Double(stream[frame, $0]) }, less: part, "encoder.blocks.2", norm: "attn_ln",
                layer: "attn.query", outputs: 24, bias: true)
            for i in 0..<8 {
                #expect(abs(Double(after[frame, 2, i]) - q[16 + i]) < 2e-5)
                #expect(after[frame, 0, i] == before[frame, 0, i] && after[frame, 1, i] == before[frame, 1, i])
                if !(40..<90).contains(frame) { #expect(after[frame, 2, i] == before[frame, 2, i]) }
            }
        }
    }

    @Test("in the decoder an edge leads from attention to the audio to an MLP")
    func decoder() throws {
        let hooks = [
            "decoder.blocks.0.cross_attn.z", "decoder.blocks.1.resid_cross", "decoder.blocks.1.mlp.0",
            "decoder.blocks.1.cross_attn.q",
        ]
        let clean = try run([], hooks)
        let patched = try run(["decoder.blocks.0.cross_attn.z @heads 0 @to decoder.blocks.1.mlp.0 = scale 0.25"], hooks)
        let (z, stream) = (try #require(clean[hooks[0]]), try #require(clean[hooks[1]])),
            after = try #require(patched[hooks[2]])
        #expect(
            patched[hooks[1]]?.elements == clean[hooks[1]]?.elements
                && patched[hooks[3]]?.elements == clean[hooks[3]]?.elements)
        for token in 0..<6 {
            let part = try contribution(z, token, 0, "decoder.blocks.0", "cross_attn").map { 0.75 * $0 }
            let up = try read(
                (0..<24).map { Double(stream[token, $0]) }, less: part, "decoder.blocks.1", norm: "mlp_ln",
                layer: "mlp.0",
                outputs: 96, bias: true)
            for i in 0..<96 { #expect(abs(Double(after[token, i]) - up[i]) < 2e-5) }
        }
    }

    @Test(
        "a contribution that all of its readers are without is one that the stream is without",
        arguments: [
            (
                "encoder.blocks.0.attn.z @heads 1", "encoder.blocks.{1,2}.attn.{q,k,v}", "encoder.blocks.{0,1,2}.mlp.0",
                "encoder.ln_post"
            ),
            (
                "encoder.blocks.1.mlp.1 @neurons 7,30-50", "encoder.blocks.2.attn.{q,k,v}", "encoder.blocks.2.mlp.0",
                "encoder.ln_post"
            ),
        ])
    func all(sender: String, attention: String, mlp: String, out: String) throws {
        let hook = "encoder.ln_post", ablated = try run(["\(sender) = zero"], [hook]), clean = try run([], [hook])
        let edges = try run([attention, mlp, out].map { "\(sender) @to \($0) = zero" }, [hook])
        #expect(largestDifference(try #require(edges[hook]).elements, try #require(ablated[hook]).elements) < 1e-4)
        #expect(largestDifference(try #require(edges[hook]).elements, try #require(clean[hook]).elements) > 1e-2)
    }

    @Test("an edge acts alike token by token")
    func steps() throws {
        let audio = try model.encode(SyntheticModel.mel())
        let edge = try Intervention(
            parsing: "decoder.blocks.0.attn.z @heads 1 @to decoder.blocks.1.attn.{k,v} = zero", dimensions: dimensions)
        func logits(_ steps: [[Int]]) throws -> [Float] {
            let run = try HookRun(HookPlan(interventions: [edge]), dimensions: dimensions)
            let cache = model.decoderCache(audio: audio)
            return try steps.flatMap { try model.decode([$0], cache: cache, hooks: run)?.elements ?? [] }
        }
        #expect(largestDifference(try logits([[1, 2, 3, 4, 5]]), try logits([[1, 2], [3], [4], [5]])) < 1e-4)
    }

    @Test(
        "ends that do not meet are refused",
        arguments: [
            ("encoder.blocks.0.attn.q @to encoder.blocks.1.attn.q = zero", "none of them"),
            ("encoder.blocks.0.attn.z @to encoder.blocks.1.attn.scores = zero", "none of them"),
            ("encoder.blocks.1.attn.z @to encoder.blocks.1.attn.q = zero", "does not come after"),
            ("encoder.blocks.1.attn.z @to decoder.blocks.1.attn.q = zero", "does not come after"),
            ("encoder.blocks.0.attn.z @to encoder.blocks.1.attn.q:3 = zero", "no head 3"),
            ("encoder.blocks.0.attn.z @heads 9 @to encoder.blocks.1.attn.q = zero", "no head 9"),
            ("encoder.blocks.0.attn.z @to encoder.blocks.1.mlp.0:1 = zero", "no heads"),
            ("encoder.blocks.0.attn.z @to nonsense = zero", "nearest"),
            ("encoder.blocks.0.attn.z @to = zero", "no hook point"),
        ])
    func refused(text: String, word: String) {
        let refusal = Refusal.of { _ = try Intervention(parsing: text, dimensions: dimensions) }
        #expect(refusal?.message.contains(word) == true, "\(refusal?.message ?? "")")
    }
}
