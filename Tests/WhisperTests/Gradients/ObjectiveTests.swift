import Dictionaries
import Files
import Kernels
import TestSupport
import Testing

import Whisper

@Suite("Objectives") struct ObjectiveTests {
    let model: WhisperModel
    let mel = SyntheticModel.mel(), tokens = [3, 1, 4, 1, 5, 9]

    init() throws { model = try SyntheticModel.make() }

    private func point(_ name: String) throws -> HookPoint {
        try #require(HookPoint.matching(name, in: model.dimensions).first)
    }

    private func found(_ objective: Objective, at hooks: [String]) throws -> DifferentiatedPass {
        try model.differentiated([objective], at: hooks, mel: mel, tokens: tokens)
    }

    @Test("a linear one's gradient where it is read is its weights, and its value their product with the activation")
    func linear() throws {
        let hook = "encoder.blocks.1.attn.z", captured = try model.captured([hook])[hook]
        let x = try #require(captured?.tensor)
        var generator = SeededGenerator(seed: 2)
        let weights = Tensor(shape: x.shape, generator.floats(x.count))
        let pass = try found(.linear(weights, at: point(hook)), at: [hook])
        #expect(pass.gradients[0][hook]?.elements == weights.elements)
        let product = zip(x.elements, weights.elements).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
        #expect(abs(pass.values[0] - product) < 1e-6)
        // One row for all frames, and the first frames alone.
        let row = Tensor(shape: [24], generator.floats(24))
        let rows = try #require(found(.linear(row, at: point(hook), positions: 2..<4), at: [hook]).gradients[0][hook])
        #expect(
            rows.elements == [Float](repeating: 0, count: 48) + row.elements + row.elements
                + [Float](repeating: 0, count: 146 * 24))
        let first = try #require(found(.linear(weights.rows(0..<30), at: point(hook)), at: [hook]).gradients[0][hook])
        #expect(first.elements == weights.rows(0..<30).elements + [Float](repeating: 0, count: 120 * 24))
    }

    @Test("an element of a pattern, a neuron over frames, a latent")
    func elements() throws {
        let pattern = "encoder.blocks.1.attn.pattern"
        var pass = try found(.element(7, head: 2, at: point(pattern), positions: 5..<6), at: [pattern])
        let ones = try #require(pass.gradients[0][pattern])
        #expect(ones[2, 5, 7] == 1 && ones.elements.reduce(0, +) == 1)
        let value = try #require(try model.captured([pattern])[pattern]?.tensor[2, 5, 7])
        #expect(pass.values[0] == Double(value))

        // A dictionary whose latent i is value i of the activation, where that is positive.
        let identity = Tensor(shape: [24, 24], (0..<576).map { $0 % 25 == 0 ? 1 : 0 })
        let dictionary = try SparseDictionary(
            encoder: identity, decoder: identity, encoderBias: [Float](repeating: 0, count: 24),
            decoderBias: [Float](repeating: 0, count: 24), activation: .relu)
        let hook = "encoder.blocks.1", x = try #require(try model.captured([hook])[hook]?.tensor)
        pass = try found(.latent(3, of: dictionary, at: point(hook), positions: 10..<40), at: [hook])
        let g = try #require(pass.gradients[0][hook])
        for frame in 0..<150 {
            #expect(g[frame, 3] == ((10..<40).contains(frame) && x[frame, 3] > 0 ? 1 : 0))
        }
        let sum = (10..<40).reduce(0.0) { $0 + Double(max(0, x[$1, 3])) }
        #expect(abs(pass.values[0] - sum) < 1e-5)
    }

    @Test("parts of one objective add up")
    func parts() throws {
        let parts = [
            Objective.encoderSum, .element(3, at: try point("encoder.blocks.0.mlp.1")), .logit(of: 5, behind: 2),
        ]
        let hook = "encoder.positional"
        let whole = try found(Objective(parts), at: [hook])
        let single = try model.differentiated(parts, at: [hook], mel: mel, tokens: tokens)
        #expect(abs(whole.values[0] - single.values.reduce(0, +)) < 1e-9)
        let sum = single.gradients.map { $0[hook]!.elements }.reduce([Float](repeating: 0, count: 150 * 24)) {
            zip($0, $1).map { $0 + $1 }
        }
        #expect(Difference(try #require(whole.gradients[0][hook]), Tensor(shape: [150, 24], sum)).relativeL2 < 1e-5)
    }

    @Test("gradients are cut and reduced like activations")
    func cut() throws {
        let hooks = ["encoder.blocks.0.attn.pattern", "encoder.blocks.1.mlp.1"]
        let whole = try found(.encoderSum, at: hooks)
        for (reduction, axis) in [(Reduction.none, 0), (.max, 0), (.mean, 0)] {
            let some = try model.differentiated(
                [.encoderSum], at: hooks, mel: mel, tokens: tokens, validFrames: 40, reduction: reduction)
            let pattern = try #require(some.gradients[0][hooks[0]]), all = try #require(whole.gradients[0][hooks[0]])
            #expect(largestDifference(pattern.elements, reduction.applied(to: all, axis: 1, first: 40).elements) < 1e-6)
            let rows = try #require(some.gradients[0][hooks[1]]), every = try #require(whole.gradients[0][hooks[1]])
            #expect(
                largestDifference(rows.elements, reduction.applied(to: every, axis: axis, first: 40).elements) < 1e-6)
        }
    }

    /// Expects an error of this kind that says these words.
    private func expectRefusal(
        _ code: ErrorCode, _ words: String, _ sourceLocation: SourceLocation = #_sourceLocation,
        _ body: () throws -> Void
    ) {
        guard let refusal = Refusal.of(sourceLocation, body) else { return }
        #expect(refusal.code == code, "\(refusal.message)", sourceLocation: sourceLocation)
        #expect(refusal.message.contains(words), "\(refusal.message)", sourceLocation: sourceLocation)
    }

    @Test("what cannot be differentiated is refused with the reason")
    func refusals() throws {
        let neuron = try point("encoder.blocks.0.mlp.1")
        expectRefusal(.invalidArgument, "0 to 95") { _ = try found(.element(96, at: neuron), at: ["log_mel"]) }
        expectRefusal(.invalidArgument, "frames 140:160") {
            _ = try found(.element(1, at: neuron, positions: 140..<160), at: ["log_mel"])
        }
        expectRefusal(.invalidArgument, "0 to 0") { _ = try found(.element(1, head: 1, at: neuron), at: ["log_mel"]) }
        expectRefusal(.invalidArgument, "without tokens") { _ = try Objective.logProbability(of: [1, 2], after: 2) }
        expectRefusal(.invalidArgument, "vocabulary of 61") {
            _ = try found(.logit(of: 61, behind: 0), at: ["log_mel"])
        }
        for behind in [6, .max, -1] {
            expectRefusal(.invalidArgument, "read 6 tokens") {
                _ = try found(.logit(of: 6, behind: behind), at: ["log_mel"])
            }
        }
        expectRefusal(.invalidArgument, "before") {
            _ = try found(.element(1, at: neuron), at: ["encoder.blocks.1.mlp.1", "decoder.ln"])
        }
        let broken = Tensor(shape: [96], (0..<96).map { $0 == 40 ? .nan : 1 })
        expectRefusal(.invalidArgument, "element 40") { _ = try Objective.linear(broken, at: neuron) }
        expectRefusal(.invalidArgument, "expected that shape") {
            _ = try found(.linear(Tensor(shape: [95]), at: neuron), at: ["log_mel"])
        }
        expectRefusal(.failedPrecondition, "kept none") {
            let run = try HookRun(HookPlan(), dimensions: model.dimensions)
            _ = try model.encode(mel, hooks: run)
            _ = try model.differentiate([.encoderSum], through: run) { _, _ in }
        }
    }
}
