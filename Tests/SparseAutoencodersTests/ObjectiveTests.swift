import Kernels
import TestSupport
import Testing

@testable import SparseAutoencoders

extension Objective {
    /// The slopes of every latent as one gradient.
    fileprivate func evaluate(_ x: [Float], _ weights: Weights, dead: [Int], gradients: inout Weights) -> Outcome {
        let (outcome, slopes) = evaluate(x, weights, dead: dead)
        gradients.encoderBias = slopes.encoderBias
        gradients.logThreshold = slopes.logThreshold
        var encoder = [Float](repeating: .nan, count: inputs), decoder = encoder
        var bias = (0..<inputs).map { i in
            stride(from: i, to: slopes.toOutput.count, by: inputs).reduce(Float(0)) { $0 + slopes.toOutput[$1] }
        }
        for latent in 0..<settings.latents {
            slopes.write(latent, encoder: &encoder, decoder: &decoder)
            let range = latent * inputs..<(latent + 1) * inputs
            gradients.encoder.replaceSubrange(range, with: encoder)
            gradients.decoder.replaceSubrange(range, with: decoder)
            for i in 0..<inputs { bias[i] -= slopes.encoderBias[latent] * weights.encoder[range.lowerBound + i] }
        }
        gradients.decoderBias = bias
        return outcome
    }
}

/// Gradients beside differences of the loss along random directions.
@Suite("Gradients of sparse autoencoders")
struct ObjectiveTests {
    private let inputs = 6, latents = 14, rows = 9

    private func make(
        _ variant: TrainingSettings.Variant, seed: UInt64
    ) -> (objective: Objective, x: [Float], weights: Weights) {
        var settings = TrainingSettings()
        settings.variant = variant
        settings.latents = latents
        settings.k = 3
        settings.sparsity = 0.3
        settings.bandwidth = 0.2
        var random = SeededGenerator(seed: seed)
        var weights = Weights(latents: latents, inputs: inputs, hasThresholds: variant == .jumpReLU)
        weights.encoder = random.floats(latents * inputs)
        weights.decoder = random.floats(latents * inputs)
        weights.encoderBias = random.floats(latents)
        weights.decoderBias = random.floats(inputs)
        weights.logThreshold = weights.logThreshold.map { _ in Float.random(in: -2...0, using: &random) }
        return (Objective(settings: settings, inputs: inputs), random.floats(rows * inputs, in: -2...2), weights)
    }

    /// The slope of the loss along `direction`, by the gradient and by a central difference.
    private func slopes(
        _ objective: Objective, _ x: [Float], _ weights: Weights, dead: [Int],
        _ part: WritableKeyPath<Weights, [Float]>, _ direction: [Float]
    ) -> (gradient: Double, difference: Double) {
        var gradients = weights, unused = weights
        _ = objective.evaluate(x, weights, dead: dead, gradients: &gradients)
        let gradient = zip(gradients[keyPath: part], direction).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
        func loss(_ distance: Float) -> Double {
            var moved = weights
            for i in direction.indices { moved[keyPath: part][i] += distance * direction[i] }
            return objective.evaluate(x, moved, dead: dead, gradients: &unused).loss
        }
        let h: Float = 2e-3
        return (gradient, (loss(h) - loss(-h)) / (2 * Double(h)))
    }

    @Test("of all weights they are the slope of the loss", arguments: TrainingSettings.Variant.allCases)
    func slope(variant: TrainingSettings.Variant) {
        // Where a code appears or goes between the two points the loss has a step; a few of twelve may meet one.
        var agreeing = 0, tried = 0
        for seed in 1...3 as ClosedRange<UInt64> {
            let (objective, x, weights) = make(variant, seed: seed)
            var random = SeededGenerator(seed: 100 + seed)
            for part in [\Weights.encoder, \.decoder, \.encoderBias, \.decoderBias]
                as [WritableKeyPath<Weights, [Float]>]
            {
                let direction = random.floats(weights[keyPath: part].count, in: -0.3...0.3)
                let (gradient, difference) = slopes(objective, x, weights, dead: [], part, direction)
                tried += 1
                if abs(gradient - difference) < 0.01 * abs(difference) + 1e-4 { agreeing += 1 }
            }
        }
        #expect(agreeing >= tried - 3, "\(agreeing) of \(tried)")
    }

    @Test(
        "sums over the active latents are products of whole matrices, and neither depends on threads",
        arguments: TrainingSettings.Variant.allCases)
    func sparseAndDense(variant: TrainingSettings.Variant) {
        var (sparse, x, weights) = make(variant, seed: 4)
        let dead = [0, 2, 3, 7, 11]
        for latent in dead { weights.encoderBias[latent] -= 3 }
        sparse.denseShare = 2
        var dense = sparse
        dense.denseShare = 0
        var gradients = [weights, weights, weights]
        let outcome = sparse.evaluate(x, weights, dead: dead, gradients: &gradients[0])
        let other = dense.evaluate(x, weights, dead: dead, gradients: &gradients[1])
        #expect(outcome.active == other.active && outcome.fired == other.fired && outcome.active > 0)
        #expect(abs(outcome.loss - other.loss) < 1e-5 * abs(other.loss))
        for part in Weights.parts {
            let scale = gradients[1][keyPath: part].reduce(0) { max($0, abs($1)) }
            #expect(
                largestDifference(gradients[0][keyPath: part], gradients[1][keyPath: part]) <= 1e-5 * scale)
        }
        // Within a task all tasks run on the thread that calls.
        Parallel.forEach(2) {
            if $0 == 0 { _ = sparse.evaluate(x, weights, dead: dead, gradients: &gradients[2]) }
        }
        #expect(gradients[0] == gradients[2])
    }

    @Test("BatchTopK keeps the largest codes of a batch, of equal ones the first, and all where few are positive")
    func batchTopK() {
        var settings = TrainingSettings()
        settings.latents = 100
        settings.k = 2
        var random = SeededGenerator(seed: 3)
        for shift in [0, -0.98, -2] as [Float] {
            let pre = random.floats(7 * 100).map { ($0 * 20).rounded() / 20 + shift }
            let codes = SparseCodes(pre, latents: 100, settings, thresholds: [])
            let order = pre.indices.filter { pre[$0] > 0 }.sorted { (pre[$1], $0) < (pre[$0], $1) }.prefix(14).sorted()
            let found = (0..<7).flatMap { row in
                codes.withEntries(row) { places, _ in places.map { row * 100 + Int($0) } }
            }
            #expect(found == order)
            #expect(codes.values == order.map { pre[$0] })
        }
    }

    @Test("the auxiliary loss teaches dead latents the residual, with the right sign, and leaves the others alone")
    func auxiliary() {
        var (objective, x, weights) = make(.topK, seed: 5)
        var settings = objective.settings
        settings.auxiliary = 2
        objective = Objective(settings: settings, inputs: inputs)
        // Dead: so low that they are never chosen, but not equal.
        let dead = [1, 4, 6, 9]
        for (place, latent) in dead.enumerated() { weights.encoderBias[latent] = -20 - Float(place) }
        var random = SeededGenerator(seed: 8)
        for part in [\Weights.encoder, \.decoder, \.encoderBias] as [WritableKeyPath<Weights, [Float]>] {
            let width = weights[keyPath: part].count / latents
            var direction = [Float](repeating: 0, count: weights[keyPath: part].count)
            for latent in dead {
                for i in 0..<width { direction[latent * width + i] = Float.random(in: -0.1...0.1, using: &random) }
            }
            let (gradient, difference) = slopes(objective, x, weights, dead: dead, part, direction)
            #expect(abs(difference) > 1e-3)
            #expect(abs(gradient - difference) < 0.01 * abs(difference) + 1e-4, "\(gradient) \(difference)")
        }
        var with = weights, without = weights
        _ = objective.evaluate(x, weights, dead: dead, gradients: &with)
        _ = objective.evaluate(x, weights, dead: [], gradients: &without)
        for latent in 0..<latents where !dead.contains(latent) {
            let range = latent * inputs..<(latent + 1) * inputs
            #expect(with.encoder[range] == without.encoder[range] && with.decoder[range] == without.decoder[range])
        }
        // A small step down the auxiliary gradient brings ê nearer to e.
        var better = weights
        for latent in dead {
            for i in latent * inputs..<(latent + 1) * inputs { better.decoder[i] -= 1e-3 * with.decoder[i] }
        }
        let before = objective.evaluate(x, weights, dead: dead, gradients: &with).loss
        #expect(objective.evaluate(x, better, dead: dead, gradients: &with).loss < before)
    }

    @Test("JumpReLU's thresholds get the gradient of a rectangle of the bandwidth in place of a step's")
    func thresholds() {
        let (objective, x, weights) = make(.jumpReLU, seed: 2)
        let settings = objective.settings
        var gradients = weights
        let outcome = objective.evaluate(x, weights, dead: [], gradients: &gradients)
        // Once more from the definitions, in double precision.
        var expected = [Double](repeating: 0, count: latents)
        let theta = weights.logThreshold.map { Double(exponential($0)) }
        var active = 0
        var pre = [[Double]](), error = [[Double]]()
        for row in 0..<rows {
            var a = weights.encoderBias.map(Double.init)
            for i in 0..<latents {
                for j in 0..<inputs {
                    a[i] +=
                        (Double(x[row * inputs + j]) - Double(weights.decoderBias[j]))
                        * Double(weights.encoder[i * inputs + j])
                }
            }
            var e = (0..<inputs).map { Double(x[row * inputs + $0]) - Double(weights.decoderBias[$0]) }
            for i in 0..<latents where a[i] > theta[i] {
                active += 1
                for j in 0..<inputs { e[j] -= a[i] * Double(weights.decoder[i * inputs + j]) }
            }
            pre.append(a)
            error.append(e)
        }
        let excess = Double(active) / Double(rows * settings.k) - 1
        for i in 0..<latents {
            for row in 0..<rows where abs(pre[row][i] - theta[i]) < Double(settings.bandwidth) / 2 {
                var toCode = 0.0
                for j in 0..<inputs {
                    toCode += -2 * error[row][j] / Double(rows * inputs) * Double(weights.decoder[i * inputs + j])
                }
                let toStep = Double(settings.sparsity) * 2 * excess / Double(settings.k * rows)
                expected[i] -= theta[i] / Double(settings.bandwidth) * (theta[i] * toCode + toStep)
            }
        }
        #expect(outcome.active == active)
        #expect(expected.contains { $0 != 0 })
        #expect(largestDifference(gradients.logThreshold, expected.map(Float.init)) < 1e-4)
    }
}
