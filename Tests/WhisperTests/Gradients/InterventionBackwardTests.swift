import Dictionaries
import Kernels
import TestSupport
import Testing

import Whisper

/// The ways back through interventions against differences of the interventions themselves.
@Suite("Gradients through interventions") struct InterventionBackwardTests {
    let dimensions = SyntheticModel.dimensions

    private func point(_ name: String) throws -> HookPoint {
        try #require(HookPoint.matching(name, in: dimensions).first)
    }

    /// Expects ⟨g, f(x + δ) − f(x − δ)⟩ / 2 to be ⟨backward(g), δ⟩.
    private func expectAdjoint(
        _ intervention: Intervention, at name: String, shape: [Int], seed: UInt64, step: Float = 1,
        tolerance: Double = 1e-5
    ) throws {
        let point = try point(name)
        var generator = SeededGenerator(seed: seed)
        let count = shape.reduce(1, *)
        let x = Tensor(shape: shape, generator.floats(count)), g = Tensor(shape: shape, generator.floats(count))
        let delta = generator.floats(count).map { $0 * step }
        func applied(_ sign: Float) throws -> [Float] {
            var moved = Tensor(shape: shape, zip(x.elements, delta).map { $0 + sign * $1 })
            try intervention.apply(to: &moved, at: point, .all, validFrames: 60, other: x)
            return moved.elements
        }
        let difference = zip(g.elements, zip(try applied(1), try applied(-1))).reduce(0.0) { sum, next in
            let (above, below) = next.1
            return above == -.infinity ? sum : sum + Double(next.0) * (Double(above) - Double(below)) / 2
        }
        var back = g
        try intervention.backward(&back, at: point, .all, validFrames: 60, input: x)
        let product = zip(back.elements, delta).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
        let scale = Double(step) * Double(count).squareRoot()
        #expect(abs(product - difference) < tolerance * scale, "\(intervention.operation): \(product), \(difference)")
    }

    @Test(
        "of plain changes",
        arguments: [
            "zero", "mean", "scale -0.5", "noise 0.3 seed 4", "add rows 2", "set rows", "substitute-padding",
        ])
    func plain(text: String) throws {
        var generator = SeededGenerator(seed: 7)
        let row = Tensor(shape: [24], generator.floats(24))
        for (hook, shape) in [("encoder.blocks.1.mlp_ln", [150, 24]), ("encoder.blocks.1.attn.v", [150, 3, 8])] {
            for qualifier in ["", " @frames 40:90"]
                + (hook.hasSuffix("v") ? [" @heads 0,2", " @frames 3:70 @heads 1"] : [])
            {
                let intervention = try Intervention(
                    parsing: "\(hook)\(qualifier) \(text == "substitute-padding" ? "" : "= ")\(text)",
                    dimensions: dimensions, tensor: { _, _ in row })
                try expectAdjoint(intervention, at: hook, shape: shape, seed: 11)
            }
        }
    }

    @Test("a clamp has no gradient, and says so", arguments: ["-0.51:0.77", "q0.13:q0.71"])
    func clamp(limits: String) throws {
        let point = try point("encoder.blocks.1.mlp_ln")
        let intervention = try Intervention(parsing: "\(point) = clamp \(limits)", dimensions: dimensions)
        let x = Tensor(shape: [150, 24], [Float](repeating: 1, count: 3600))
        var g = x
        let error = #expect(throws: WhisperError.self) {
            try intervention.backward(&g, at: point, .all, validFrames: 60, input: x)
        }
        #expect(error?.code == .failedPrecondition)
        #expect("\(error?.description ?? "")".contains("no gradient goes back through the clamp"))
    }

    @Test("an edge has no gradient, and says so")
    func edge() throws {
        let model = try SyntheticModel.make()
        let error = #expect(throws: WhisperError.self) {
            try model.differentiated(
                [.encoderSum], at: ["log_mel"], mel: SyntheticModel.mel(), tokens: [3],
                interventions: ["encoder.blocks.0.mlp @to encoder.blocks.1.mlp.0 = zero"], validFrames: 100)
        }
        #expect(error?.code == .unsupported)
    }

    @Test("of a window and of single heads of the scores")
    func scores() throws {
        for text in ["encoder.blocks.1.attn window 5", "encoder.blocks.1.attn.scores @heads 1 = scale 0.3"] {
            let intervention = try Intervention(parsing: text, dimensions: dimensions)
            try expectAdjoint(intervention, at: "encoder.blocks.1.attn.scores", shape: [3, 150, 150], seed: 12)
        }
    }

    @Test(
        "of dictionaries, whatever they do to their input", arguments: ["none", "constant_norm_rescale", "layer_norm"])
    func dictionaries(normalisation: String) throws {
        var generator = SeededGenerator(seed: 21)
        let dictionary = try SparseDictionary(
            encoder: Tensor(shape: [9, 24], generator.floats(9 * 24)),
            decoder: Tensor(shape: [9, 24], generator.floats(9 * 24)),
            // Far enough from 0 that no code appears or goes within a step.
            encoderBias: (0..<9).map { $0 % 3 == 0 ? -40 : 40 }, decoderBias: generator.floats(24), activation: .relu,
            normalisation: try #require(.init(rawValue: normalisation)))
        let operations: [Intervention.Operation] = [
            .splice(dictionary), .latent(dictionary, 1, .scale(-0.5)), .latent(dictionary, 4, .set(3)),
            .latent(dictionary, 3, .set(3)),
        ]
        for operation in operations {
            let intervention = try Intervention(
                targets: [point("encoder.blocks.1")], positions: 10..<100, operation: operation, dimensions: dimensions)
            try expectAdjoint(
                intervention, at: "encoder.blocks.1", shape: [150, 24], seed: 13, step: 1e-2, tolerance: 2e-3)
        }
    }

    // MARK: - In place

    /// One number of the model, moved along a direction at one hook point by an intervention: the objective's difference is the gradient's
    /// product with the direction, whatever other changes are in place.
    @Test(
        "the gradient is that of the changed pass",
        arguments: [
            "encoder.blocks.0.attn window 12", "encoder.blocks.1.mlp.1 @frames 10:60 = scale 0.4",
            "encoder.blocks.0 = mean", "encoder.blocks.1.attn.pattern @heads 1 = scale 0.5",
            "encoder.conv1 @frames 20:50 = zero", "decoder.blocks.0.attn.scores @heads 1 = scale 0.5",
            "decoder.blocks.1.cross_attn.pattern @heads 0 = scale 0.2",
            "decoder.blocks.0.cross_attn.v @frames 30:70 = zero",
            "decoder.blocks.0.mlp = noise 0.1", "encoder.blocks.1.mlp.1 @neurons 3,5-60 = scale 0.1",
            "encoder.blocks.0 @neurons 3-20 = mean",
        ])
    func inPlace(text: String) throws {
        let model = try SyntheticModel.make(), mel = SyntheticModel.mel(), tokens = [3, 1, 4, 1, 5, 9]
        let objective = try Objective.logProbability(of: tokens, after: 1)
        for memory in [0, 1 << 30] {
            let found = try model.differentiated(
                [objective], at: ["log_mel"], mel: mel, tokens: tokens, interventions: [text], validFrames: 100,
                memory: memory)
            let gradient = try #require(found.gradients[0]["log_mel"])
            var generator = SeededGenerator(seed: 3)
            let direction = generator.floats(mel.count)
            func value(_ step: Float) throws -> Double {
                let moved = Tensor(shape: mel.shape, zip(mel.elements, direction).map { $0 + step * $1 })
                return try model.differentiated(
                    [objective], at: ["decoder.logits"], mel: moved, tokens: tokens, interventions: [text],
                    validFrames: 100
                ).values[0]
            }
            // Richardson's extrapolation of central differences: float32's noise allows no small step.
            func slope(_ step: Float) throws -> Double { (try value(step) - value(-step)) / (2 * Double(step)) }
            let expected = (4 * (try slope(2e-3)) - (try slope(4e-3))) / 3
            let product = zip(gradient.elements, direction).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
            #expect(abs(product - expected) < 1e-2 * max(1, abs(expected)), "\(product), expected \(expected)")
        }
    }
}
