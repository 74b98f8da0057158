import Dictionaries
import Kernels

/// The loss of one batch and its gradients.
///
///     e = x − x̂        x̂ = z W_dec + b_dec        z = σ(a)        a = (x − b_dec) W_enc + b_enc
///     loss = Σ|e|²/(B d) + sparsity + auxiliary · s · Σ|ê − e|²/(B d)
///
/// over inputs whose mean square is 1, so that the first part is about the share of the variance that is not explained.
/// ê = z_aux W_dec, with the pre-activations of the d/2 (or fewer) most excited dead latents, learns the *residual* e, which
/// counts as a constant; b_dec is in x̂ and so not once more in ê. s = min(dead / (d/2), 1) (Gao et al. 2024, appendix A.2).
struct Objective {
    let settings: TrainingSettings
    let inputs: Int

    /// What one batch gave.
    struct Outcome {
        var loss = 0.0
        /// Σ|e|² and Σ|x − mean of the batch|².
        var residual = 0.0, total = 0.0
        /// Active latents, of all positions together.
        var active = 0
        var fired: [Bool] = []
    }

    private var latents: Int { settings.latents }

    /// - Parameters:
    ///   - x: [batch, inputs], normalised.
    ///   - dead: the latents that learn from the residual.
    func evaluate(
        _ x: [Float], _ weights: Weights, dead: [Int], gradients: inout Weights
    ) -> Outcome {
        let rows = x.count / inputs
        var outcome = Outcome()
        let (centred, pre) = preActivations(x, weights)

        var codes = pre
        activate(&codes, weights)
        outcome.fired = [Bool](repeating: false, count: latents)
        for row in 0..<rows {
            for i in 0..<latents where codes[row * latents + i] > 0 {
                outcome.active += 1
                outcome.fired[i] = true
            }
        }
        // centred − z W_dec is x − x̂: b_dec is in both.
        var error = product(codes, weights.decoder, rows, inputs, latents, .rows)
        for i in error.indices { error[i] = centred[i] - error[i] }
        outcome.residual = error.reduce(0) { $0 + Double($1) * Double($1) }
        outcome.total = spread(x, rows)
        let scale = 1 / Double(rows * inputs)
        outcome.loss = outcome.residual * scale

        let factor = Float(-2 * scale)
        let toOutput = error.map { $0 * factor }
        var toCodes = product(toOutput, weights.decoder, rows, latents, inputs, .columns)
        var toThreshold = [Float](repeating: 0, count: weights.logThreshold.count)
        outcome.loss += penalise(pre, codes, &toCodes, &toThreshold, weights, rows, outcome.active)
        var decoderPart = product(transposed(codes, rows, latents), toOutput, latents, inputs, rows, .rows)
        if !dead.isEmpty, settings.auxiliary > 0 {
            outcome.loss += learnResidual(error, pre, dead, weights, rows, &toCodes, &decoderPart)
        }
        let encoderPart = product(transposed(toCodes, rows, latents), centred, latents, inputs, rows, .rows)
        gradients.decoder = decoderPart
        gradients.encoder = encoderPart
        gradients.logThreshold = toThreshold
        gradients.encoderBias = columnSums(toCodes, rows, latents)
        let throughEncoder = columnSums(product(toCodes, weights.encoder, rows, inputs, latents, .rows), rows, inputs)
        gradients.decoderBias = zip(columnSums(toOutput, rows, inputs), throughEncoder).map { $0 - $1 }
        return outcome
    }

    /// x − b_dec, [rows, inputs], and a, [rows, latents].
    func preActivations(_ x: [Float], _ weights: Weights) -> (centred: [Float], pre: [Float]) {
        let rows = x.count / inputs
        var centred = x
        for row in 0..<rows { for i in 0..<inputs { centred[row * inputs + i] -= weights.decoderBias[i] } }
        var pre = product(centred, weights.encoder, rows, latents, inputs, .columns)
        for row in 0..<rows { for i in 0..<latents { pre[row * latents + i] += weights.encoderBias[i] } }
        return (centred, pre)
    }

    /// Pre-activations to codes.
    private func activate(_ codes: inout [Float], _ weights: Weights) {
        let rows = codes.count / latents
        codes.withUnsafeMutableBufferPointer { codes in
            switch settings.variant {
            case .batchTopK: LargestValues.keep(settings.k * rows, of: codes)
            case .topK:
                for row in 0..<rows {
                    LargestValues.keep(settings.k, of: .init(rebasing: codes[row * latents..<(row + 1) * latents]))
                }
            case .l1: for i in codes.indices { codes[i] = max(codes[i], 0) }
            case .jumpReLU:
                let thresholds = weights.logThreshold.map { exponential($0) }
                for row in 0..<rows {
                    for i in 0..<latents where !(codes[row * latents + i] > thresholds[i]) {
                        codes[row * latents + i] = 0
                    }
                }
            }
        }
    }

    /// Adds the sparsity penalty's gradient, lets gradients through where codes are, and gives thresholds theirs.
    private func penalise(
        _ pre: [Float], _ codes: [Float], _ toCodes: inout [Float], _ toThreshold: inout [Float], _ weights: Weights,
        _ rows: Int, _ active: Int
    ) -> Double {
        switch settings.variant {
        case .batchTopK, .topK:
            for i in toCodes.indices where codes[i] == 0 { toCodes[i] = 0 }
            return 0
        case .l1:
            // The directions have length 1, so the sum of the codes is what it is over lengths, too.
            let each = settings.sparsity / Float(rows * inputs)
            for i in toCodes.indices { toCodes[i] = codes[i] > 0 ? toCodes[i] + each : 0 }
            return Double(each) * codes.reduce(0) { $0 + Double($1) }
        case .jumpReLU:
            // A step has no gradient: a rectangle of the bandwidth stands for its derivative.
            let excess = Double(active) / Double(rows) / Double(settings.k) - 1
            let step = Float(2 * Double(settings.sparsity) * excess / Double(settings.k * rows))
            for i in 0..<latents {
                let threshold = exponential(weights.logThreshold[i])
                for row in 0..<rows {
                    let place = row * latents + i
                    if abs(pre[place] - threshold) < settings.bandwidth / 2 {
                        toThreshold[i] -= threshold * (threshold * toCodes[place] + step) / settings.bandwidth
                    }
                    if codes[place] == 0 { toCodes[place] = 0 }
                }
            }
            return Double(settings.sparsity) * excess * excess
        }
    }

    private func learnResidual(
        _ error: [Float], _ pre: [Float], _ dead: [Int], _ weights: Weights, _ rows: Int, _ toCodes: inout [Float],
        _ decoderPart: inout [Float]
    ) -> Double {
        let most = max(inputs / 2, 1)
        let kept = min(most, dead.count)
        let share = min(Float(dead.count) / Float(most), 1)
        let width = dead.count
        var excited = [Float](repeating: 0, count: rows * width)
        for row in 0..<rows {
            let order = dead.indices.sorted {
                (pre[row * latents + dead[$1]], $0) < (pre[row * latents + dead[$0]], $1)
            }
            for place in order.prefix(kept) { excited[row * width + place] = pre[row * latents + dead[place]] }
        }
        var directions: [Float] = []
        for latent in dead { directions += weights.decoder[latent * inputs..<(latent + 1) * inputs] }
        var difference = product(excited, directions, rows, inputs, width, .rows)
        for i in difference.indices { difference[i] -= error[i] }
        let scale = Double(settings.auxiliary * share) / Double(rows * inputs)
        let loss = scale * difference.reduce(0) { $0 + Double($1) * Double($1) }
        let toOutput = difference.map { $0 * Float(2 * scale) }
        let toExcited = product(toOutput, directions, rows, width, inputs, .columns)
        let toDirections = product(transposed(excited, rows, width), toOutput, width, inputs, rows, .rows)
        for (place, latent) in dead.enumerated() {
            for i in 0..<inputs { decoderPart[latent * inputs + i] += toDirections[place * inputs + i] }
            for row in 0..<rows where excited[row * width + place] != 0 {
                toCodes[row * latents + latent] += toExcited[row * width + place]
            }
        }
        return loss
    }

    private func spread(_ x: [Float], _ rows: Int) -> Double {
        let means = columnSums(x, rows, inputs).map { $0 / Float(rows) }
        var sum = 0.0
        for row in 0..<rows {
            for i in 0..<inputs {
                let difference = Double(x[row * inputs + i] - means[i])
                sum += difference * difference
            }
        }
        return sum
    }
}
