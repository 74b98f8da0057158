import Kernels
import TestSupport
import Testing
import Whisper

@Suite struct InterventionTests {
    let model: WhisperModel
    let dimensions = SyntheticModel.dimensions

    init() throws { model = try SyntheticModel.make() }

    private func run(_ interventions: [String], _ hook: String, validFrames: Int? = nil) throws -> Tensor {
        let captured = try model.captured([hook], validFrames: validFrames, interventions: interventions)
        return try #require(captured[hook]).tensor
    }

    @Test("zero ablation silences the chosen frames and no others")
    func zero() throws {
        let hook = "encoder.blocks.1.mlp.1"
        let clean = try run([], hook), ablated = try run(["\(hook)@frames 10:20 = zero"], hook)
        #expect(ablated.rows(10..<20).elements.allSatisfy { $0 == 0 })
        #expect(ablated.rows(0..<10).elements == clean.rows(0..<10).elements)
        #expect(ablated.rows(20..<150).elements == clean.rows(20..<150).elements)
        // And what comes after notices.
        #expect(
            try run(["\(hook)@frames 10:20 = zero"], "encoder.ln_post").elements != run([], "encoder.ln_post").elements)
    }

    @Test("a head is knocked out alone")
    func heads() throws {
        let hook = "encoder.blocks.0.attn.z"
        let clean = try run([], hook), ablated = try run(["\(hook) @heads 0,2 = zero"], hook)
        for frame in [0, 77, 149] {
            for column in 0..<8 {
                #expect(ablated[frame, 0, column] == 0 && ablated[frame, 2, column] == 0)
                #expect(ablated[frame, 1, column] == clean[frame, 1, column])
            }
        }
    }

    @Test("mean ablation puts the mean of the valid frames everywhere")
    func mean() throws {
        let hook = "encoder.blocks.0.mlp.1"
        let clean = try run([], hook, validFrames: 30), ablated = try run(["\(hook) = mean"], hook, validFrames: 30)
        for column in [0, 50, 95] {
            let mean = (0..<30).reduce(Float(0)) { $0 + clean[$1, column] } / 30
            #expect(abs(ablated[3, column] - mean) < 1e-5 && ablated[3, column] == ablated[29, column])
        }
    }

    @Test("scaling, and noise that its seed repeats")
    func scaleAndNoise() throws {
        let hook = "decoder.blocks.1.resid_pre"
        let clean = try run([], hook)
        #expect(try run(["\(hook) = scale -2"], hook).elements == clean.elements.map { $0 * -2 })
        let noisy = try run(["\(hook) = noise 0.5 seed 4"], hook)
        #expect(try run(["\(hook) = noise 0.5 seed 4"], hook).elements == noisy.elements)
        #expect(try run(["\(hook) = noise 0.5 seed 5"], hook).elements != noisy.elements)
        let added = zip(noisy.elements, clean.elements).map { $0 - $1 }
        let deviation = (added.reduce(0) { $0 + $1 * $1 } / Float(added.count)).squareRoot()
        #expect((0.4...0.6).contains(deviation))
    }

    @Test("a window masks what is further away, and the rest sums to one", arguments: [0, 5, 149])
    func window(k: Int) throws {
        let pattern = try run(["encoder.blocks.*.attn window \(k)"], "encoder.blocks.2.attn.pattern")
        for (head, query) in [(0, 0), (1, 70), (2, 149)] {
            let row = (0..<150).map { pattern[head, query, $0] }
            #expect(row.enumerated().allSatisfy { abs($0 - query) <= k || $1 == 0 })
            #expect(abs(row.reduce(0, +) - 1) < 1e-5)
        }
        let whole = try run([], "encoder.ln_post").elements
        #expect((try run(["encoder.blocks.*.attn window \(k)"], "encoder.ln_post").elements == whole) == (k == 149))
    }

    @Test("a tensor is added along all frames, or put in place of chosen ones")
    func tensors() throws {
        let hook = try HookPoint.matching("encoder.blocks.1", in: dimensions)
        let clean = try run([], "encoder.blocks.1")
        let direction = Tensor(shape: [24], (0..<24).map(Float.init))
        let steered = try captured(
            Intervention(targets: Set(hook), operation: .add(direction, 2), dimensions: dimensions))
        #expect(abs(steered[40, 5] - (clean[40, 5] + 10)) < 1e-4)
        let patch = Tensor(shape: [2, 24], (0..<48).map(Float.init))
        let patched = try captured(
            Intervention(targets: Set(hook), positions: 3..<5, operation: .set(patch), dimensions: dimensions))
        #expect(patched.rows(3..<5).elements == patch.elements)
        #expect(patched.rows(5..<150).elements == clean.rows(5..<150).elements)
        #expect(throws: WhisperError.self) {
            try captured(
                Intervention(
                    targets: Set(hook), operation: .set(Tensor(shape: [7])), dimensions: dimensions))
        }
    }

    private func captured(_ intervention: Intervention) throws -> Tensor {
        var found: Tensor?
        let plan = HookPlan(
            captures: Set(try HookPoint.matching("encoder.blocks.1", in: dimensions)), interventions: [intervention])
        let run = try HookRun(plan, dimensions: dimensions) { found = $0.tensor }
        _ = try model.encode(SyntheticModel.mel(), hooks: run)
        return try #require(found)
    }

    @Test("the embedding of padding takes the place of the chosen frames")
    func substitutePadding() throws {
        let padding = try model.encode(model.paddingMel), clean = try model.encode(SyntheticModel.mel())
        let cut = try run(["encoder.ln_post substitute-padding 0:50"], "encoder.ln_post")
        #expect(cut.rows(0..<50).elements == padding.rows(0..<50).elements)
        #expect(cut.rows(50..<150).elements == clean.rows(50..<150).elements)
        #expect(try run(["encoder.ln_post substitute-padding 0s:1s"], "encoder.ln_post").elements == cut.elements)
    }

    @Test("the decoder's tokens are counted over the whole sequence, also when they come one by one")
    func decoderPositions() throws {
        let audio = try model.encode(SyntheticModel.mel())
        let intervention = try Intervention(parsing: "decoder.blocks.0 @tokens 2:4 = zero", dimensions: dimensions)
        func logits(_ steps: [[Int]]) throws -> [Float] {
            let run = try HookRun(HookPlan(interventions: [intervention]), dimensions: dimensions)
            let cache = model.decoderCache(audio: audio)
            return try steps.flatMap { try model.decode([$0], cache: cache, hooks: run)?.elements ?? [] }
        }
        #expect(largestDifference(try logits([[1, 2, 3, 4, 5]]), try logits([[1, 2], [3], [4], [5]])) < 1e-4)
    }

    @Test(
        "what cannot be understood is shown",
        arguments: [
            "", "encoder.blocks.0", "encoder.blocks.0 = explode", "encoder.blocks.0 = scale",
            "encoder.blocks.0 = scale x",
            "encoder.blocks.0 @frames 5 = zero", "encoder.blocks.0 @frames 9:3 = zero",
            "encoder.blocks.0 @heads 0 = zero",
            "encoder.blocks.0.attn.z @heads 3 = zero", "encoder.blocks.0.mlp window 5", "encoder.blocks.0 = zero zero",
            "decoder.ln substitute-padding 0:5", "nonsense = zero", "encoder.blocks.0 = add /no/such/file 1",
            "encoder.blocks.0 @frames a:b = zero", "encoder.blocks.0 @colour red = zero",
            "encoder.blocks.0 = scale nan",
            "encoder.blocks.*.attn window -1", "encoder.blocks.0 @frames 0:99999999999999999999 = zero",
        ])
    func refused(text: String) {
        #expect(Refusal.of { _ = try Intervention(parsing: text, dimensions: dimensions) } != nil)
    }
}
