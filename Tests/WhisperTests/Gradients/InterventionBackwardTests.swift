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

    /// ⟨g, f(x + δ) − f(x − δ)⟩ / 2 and ⟨backward(g), δ⟩, for steps that are small beside what lies between two values.
    private func slopes(
        of intervention: Intervention, at point: HookPoint, _ x: Tensor, seed: UInt64, step: Float
    ) throws -> (difference: Double, product: Double) {
        var generator = SeededGenerator(seed: seed)
        let g = generator.floats(x.count), delta = generator.floats(x.count).map { $0 * step }
        func applied(_ sign: Float) throws -> [Float] {
            var moved = Tensor(shape: x.shape, zip(x.elements, delta).map { $0 + sign * $1 })
            try intervention.apply(to: &moved, at: point, .all, validFrames: 60, other: nil)
            return moved.elements
        }
        let (above, below) = try (applied(1), applied(-1))
        var difference = 0.0, product = 0.0
        for i in g.indices { difference += Double(g[i]) * (Double(above[i]) - Double(below[i])) / 2 }
        var back = Tensor(shape: x.shape, g)
        try intervention.backward(&back, at: point, .all, validFrames: 60, input: x)
        for (gradient, change) in zip(back.elements, delta) { product += Double(gradient) * Double(change) }
        return (difference, product)
    }

    /// Values that lie 0.02 apart in every column.
    private static func spread(_ position: Int, _ column: Int) -> Float {
        let step = (position * 37 + column * 11) % 151
        return Float(step) / 50 - 1.5
    }

    @Test(
        "of clamps, whose limits may be values of the pass themselves",
        arguments: ["-0.51:0.77", ":0.33", "q0.2:", "q0.15:q0.71", "0.4", "q0.5"])
    func clamp(limits: String) throws {
        let point = try point("encoder.blocks.1.mlp_ln")
        // All of a column apart from each other and from the limits, by more than what they are moved by.
        let x = Tensor(shape: [150, 24], (0..<3600).map { Self.spread($0 / 24, $0 % 24) })
        for place in ["", " @neurons 3,9 @frames 20:90"] {
            let intervention = try Intervention(parsing: "\(point)\(place) = clamp \(limits)", dimensions: dimensions)
            let (difference, product) = try slopes(of: intervention, at: point, x, seed: 5, step: 2e-4)
            #expect(abs(product - difference) < 2e-5, "\(product), \(difference)")
        }
    }

    @Test("a clamp of one head, and of the patterns of attention")
    func clampedHead() throws {
        for (name, shape) in [
            ("encoder.blocks.1.attn.v", [150, 3, 8]), ("encoder.blocks.1.attn.pattern", [3, 150, 150]),
        ] {
            let point = try point(name), count = shape.reduce(1, *), isFirst = shape[0] == 3
            let x = Tensor(
                shape: shape,
                (0..<count).map {
                    isFirst ? Self.spread($0 / 150 % 150, $0 / 22_500 * 5 + $0 % 150) : Self.spread($0 / 24, $0 % 24)
                })
            let intervention = try Intervention(
                parsing: "\(name) @heads 1 = clamp q0.25:q0.8", dimensions: dimensions)
            let (difference, product) = try slopes(
                of: intervention, at: point, x, seed: 6, step: 1e-3)
            #expect(abs(product - difference) < 1e-4, "\(product), \(difference)")
            var g = Tensor(shape: shape, repeatElement(1, count: count))
            try intervention.backward(&g, at: point, .all, validFrames: 60, input: x)
            // Other heads are not held; of this one, what is held hands on all that it had.
            let total = g.elements.reduce(0.0) { $0 + Double($1) }
            #expect(abs(total - Double(count)) < 1e-2 && g.elements.contains(0) && g.elements.contains { $0 > 1 })
        }
    }

    @Test(
        "of a latent that is held, at a value or at a quantile of its codes",
        arguments: ["none", "constant_norm_rescale", "layer_norm"], ["0.2:1.1", "q0.2:q0.7", "q0.5"])
    func clampedLatent(normalisation: String, limits: String) throws {
        var generator = SeededGenerator(seed: 22)
        // All codes are active, and far apart beside the steps.
        let dictionary = try SparseDictionary(
            encoder: Tensor(shape: [9, 24], generator.floats(9 * 24)),
            decoder: Tensor(shape: [9, 24], generator.floats(9 * 24)), encoderBias: (0..<9).map { _ in 12 },
            decoderBias: generator.floats(24), activation: .relu,
            normalisation: try #require(.init(rawValue: normalisation)))
        let point = try point("encoder.blocks.1"), x = Tensor(shape: [150, 24], generator.floats(3600))
        let codes = try dictionary.encode(x)
        func limit(_ text: Substring) -> ClampLimit? {
            if text.isEmpty { return nil }
            if text.hasPrefix("q") { return Double(text.dropFirst()).map { .quantile($0) } }
            // Beside the first codes, whatever their level.
            return Float(text).map { .value(codes[0, 2] + $0 - 0.7) }
        }
        let parts = limits.split(separator: ":")
        let intervention = try Intervention(
            targets: [point], positions: 10..<100,
            operation: .latent(dictionary, 2, .clamp(limit(parts[0]), limit(parts[parts.count - 1]))),
            dimensions: dimensions)
        let (difference, product) = try slopes(of: intervention, at: point, x, seed: 7, step: 2e-4)
        #expect(abs(product - difference) < 2e-4 * max(1, abs(difference) * 10), "\(product), \(difference)")
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
            "encoder.blocks.0 @neurons 3-20 = mean", "encoder.blocks.1 @neurons 2-9 = clamp -0.4:0.3",
            "encoder.blocks.0.mlp.1 @frames 10:60 = clamp -0.1:0.2",
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
