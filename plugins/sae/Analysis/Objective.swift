import Dictionaries
import Kernels

/// The loss of one batch and its slopes.
///
///     e = x − x̂        x̂ = z W_dec + b_dec        z = σ(a)        a = (x − b_dec) W_enc + b_enc
///     loss = Σ|e|²/(B d) + sparsity + auxiliary · s · Σ|ê − e|²/(B d)
///
/// over inputs whose mean square is 1, so that the first part is about the share of the variance that is not explained.
/// ê = z_aux W_dec, with the pre-activations of the d/2 (or fewer) most excited dead latents, learns the *residual* e, which
/// counts as a constant; b_dec is in x̂ and so not once more in ê. s = min(dead / (d/2), 1) (Gao et al. 2024, appendix A.2).
///
/// a is a product of matrices. What follows concerns the few latents that are active, and is sums over those alone; where many
/// are, as when a training with L1 begins, it is products of matrices as well.
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
    /// From this share of entries on, products of whole matrices are faster than sums over entries.
    var denseShare = 0.125
    private static let rowBlock = 16

    /// - Parameters:
    ///   - x: [batch, inputs], normalised.
    ///   - dead: the latents that learn from the residual.
    func evaluate(_ x: [Float], _ weights: Weights, dead: [Int]) -> (outcome: Outcome, slopes: Slopes) {
        let rows = x.count / inputs
        let (centred, pre) = preActivations(x, weights)
        let thresholds = weights.logThreshold.map { exponential($0) }
        var codes = SparseCodes(pre, latents: latents, settings, thresholds: thresholds)
        var outcome = Outcome()
        let penalty = Penalty(settings, inputs: inputs, thresholds, &codes, &outcome)
        let isDense = Double(codes.count) >= denseShare * Double(pre.count)
        var whole = isDense ? codes.whole(codes.values) : []

        let error =
            isDense
            ? difference(centred, product(whole, weights.decoder, rows, inputs, latents, .rows))
            : sparseError(centred, codes, weights)
        let each = rowSums(error, rows)
        outcome.residual = each.reduce(0, +)
        outcome.total = spread(x, rows)
        let scale = 1 / Double(rows * inputs)
        outcome.loss = outcome.residual * scale + penalty.loss

        let toOutput = scaled(error, by: Float(-2 * scale))
        var slopes =
            isDense
            ? codes.gathered(product(toOutput, weights.decoder, rows, latents, inputs, .columns))
            : sparseSlopes(toOutput, codes, weights)
        let toThreshold = penalty.apply(to: &slopes, codes)
        var toBias = [Float](repeating: 0, count: latents)
        for (place, slope) in zip(codes.places, slopes) { toBias[Int(place)] += slope }
        let directions: Slopes.Directions
        if isDense {
            let decoder = product(whole, transposed: true, toOutput, latents, inputs, rows, .rows)
            whole = codes.whole(slopes)
            directions = .dense(
                encoder: product(whole, transposed: true, centred, latents, inputs, rows, .rows), decoder: decoder)
        } else {
            directions = .sparse(CodesByLatent(codes, slopes: slopes))
        }
        var result = Slopes(
            inputs: inputs, latents: latents, centred: centred, toOutput: toOutput, directions: directions,
            encoderBias: toBias, logThreshold: toThreshold)
        if !dead.isEmpty, settings.auxiliary > 0 {
            outcome.loss += learnResidual(error, pre, dead, weights, &result)
        }
        return (outcome, result)
    }

    /// x − b_dec, [rows, inputs], and a, [rows, latents].
    func preActivations(_ x: [Float], _ weights: Weights) -> (centred: [Float], pre: [Float]) {
        let rows = x.count / inputs
        var centred = x
        for row in 0..<rows {
            addScaled(weights.decoderBias, by: -1, to: &centred, at: row * inputs)
        }
        let pre = [Float](unsafeUninitializedCapacity: rows * latents) { pre, count in
            count = rows * latents
            guard let pre = pre.baseAddress else { return }
            func fill(_ bias: UnsafePointer<Float>, _ centred: UnsafePointer<Float>, _ encoder: UnsafePointer<Float>) {
                Parallel.blocks(of: Self.rowBlock, in: rows) { range in
                    for row in range { (pre + row * latents).update(from: bias, count: latents) }
                }
                MatrixProduct.multiplyOnAllThreads(
                    m: rows, n: latents, k: inputs, centred, lda: inputs, encoder, ldb: inputs, .columns, into: pre,
                    ldc: latents, accumulating: true)
            }
            fill(weights.encoderBias, centred, weights.encoder)
        }
        return (centred, pre)
    }

    // MARK: - Sums over the entries of a row

    /// x − x̂: b_dec is in both x − b_dec and x̂ − b_dec.
    private func sparseError(_ centred: [Float], _ codes: SparseCodes, _ weights: Weights) -> [Float] {
        var error = centred
        func run(
            _ error: UnsafeMutablePointer<Float>, _ values: UnsafePointer<Float>, _ decoder: UnsafePointer<Float>
        ) {
            Parallel.blocks(of: Self.rowBlock, in: codes.rows) { range in
                FloatMemory.withScratch(inputs) { made in
                    for row in range {
                        codes.withEntries(row) { places, begin in
                            GatheredRows.weightedSum(
                                values + begin, decoder, stride: inputs, rows: places, width: inputs, into: made)
                        }
                        Elementwise.addScaled(made, by: -1, to: error + row * inputs, count: inputs)
                    }
                }
            }
        }
        run(&error, codes.values, weights.decoder)
        return error
    }

    /// The slope of the loss along each entry's code.
    private func sparseSlopes(_ toOutput: [Float], _ codes: SparseCodes, _ weights: Weights) -> [Float] {
        var slopes = [Float](repeating: 0, count: codes.count)
        func run(
            _ slopes: UnsafeMutablePointer<Float>, _ toOutput: UnsafePointer<Float>, _ decoder: UnsafePointer<Float>
        ) {
            Parallel.blocks(of: Self.rowBlock, in: codes.rows) { range in
                for row in range {
                    codes.withEntries(row) { places, begin in
                        GatheredRows.dots(
                            toOutput + row * inputs, decoder, stride: inputs, rows: places, width: inputs,
                            into: slopes + begin)
                    }
                }
            }
        }
        run(&slopes, toOutput, weights.decoder)
        return slopes
    }

    // MARK: - The auxiliary loss

    private func learnResidual(
        _ error: [Float], _ pre: [Float], _ dead: [Int], _ weights: Weights, _ slopes: inout Slopes
    ) -> Double {
        let rows = error.count / inputs, width = dead.count
        let most = max(inputs / 2, 1)
        let share = min(Float(dead.count) / Float(most), 1)
        let excited = mostExcited(min(most, width), of: dead, pre, rows)
        var directions: [Float] = []
        directions.reserveCapacity(width * inputs)
        for latent in dead { directions += weights.decoder[latent * inputs..<(latent + 1) * inputs] }
        let left = difference(product(excited, directions, rows, inputs, width, .rows), error)
        let scale = Double(settings.auxiliary * share) / Double(rows * inputs)
        let toOutput = scaled(left, by: Float(2 * scale))
        var toExcited = product(toOutput, directions, rows, width, inputs, .columns)
        if width > most { for i in toExcited.indices where excited[i] == 0 { toExcited[i] = 0 } }
        var place = [Int32](repeating: -1, count: latents)
        for (index, slope) in columnSums(toExcited, rows, width).enumerated() {
            place[dead[index]] = Int32(index)
            slopes.encoderBias[dead[index]] += slope
        }
        slopes.auxiliary = Slopes.Auxiliary(
            encoder: product(toExcited, transposed: true, slopes.centred, width, inputs, rows, .rows),
            decoder: product(excited, transposed: true, toOutput, width, inputs, rows, .rows), place: place)
        return scale * rowSums(left, rows).reduce(0, +)
    }

    /// The pre-activations of the dead, [rows, dead]; 0 for those that are not among the `count` largest of a row, of which the
    /// first stay where some are equal.
    private func mostExcited(_ count: Int, of dead: [Int], _ pre: [Float], _ rows: Int) -> [Float] {
        let width = dead.count
        var excited = [Float](repeating: 0, count: rows * width)
        func run(_ excited: UnsafeMutablePointer<Float>, _ pre: UnsafePointer<Float>, _ dead: UnsafePointer<Int>) {
            Parallel.blocks(of: Self.rowBlock, in: rows) { range in
                FloatMemory.withScratch(width) { ranked in
                    for row in range {
                        let (out, x) = (excited + row * width, pre + row * latents)
                        for i in 0..<width { out[i] = x[dead[i]] }
                        guard count < width else { continue }
                        ranked.update(from: out, count: width)
                        let border = LargestValues.ranked(count, of: ranked, width)
                        var equal = count
                        for i in 0..<width where out[i] > border { equal -= 1 }
                        for i in 0..<width where !(out[i] > border) {
                            if out[i] == border, equal > 0 { equal -= 1 } else { out[i] = 0 }
                        }
                    }
                }
            }
        }
        run(&excited, pre, dead)
        return excited
    }

    // MARK: - Elements

    private func addScaled(
        _ x: UnsafePointer<Float>, by factor: Float, to y: UnsafeMutablePointer<Float>, at place: Int
    ) { Elementwise.addScaled(x, by: factor, to: y + place, count: inputs) }

    /// x − y.
    private func difference(_ x: [Float], _ y: [Float]) -> [Float] {
        var difference = x
        Elementwise.addScaled(y, by: -1, to: &difference, count: x.count)
        return difference
    }

    private func scaled(_ x: [Float], by factor: Float) -> [Float] {
        [Float](unsafeUninitializedCapacity: x.count) { out, count in
            count = x.count
            guard let base = out.baseAddress else { return }
            Elementwise.scale(x, by: factor, into: base, count: x.count)
        }
    }

    /// Σ of the squares of each row.
    private func rowSums(_ x: [Float], _ rows: Int) -> [Double] {
        x.withUnsafeBufferPointer { x in
            guard let x = x.baseAddress else { return [] }
            return (0..<rows).map { squaredLength(x + $0 * inputs, inputs) }
        }
    }

    private func spread(_ x: [Float], _ rows: Int) -> Double {
        let means = columnSums(x, rows, inputs).map { $0 / Float(rows) }
        var away = x
        for row in 0..<rows { addScaled(means, by: -1, to: &away, at: row * inputs) }
        return rowSums(away, rows).reduce(0, +)
    }
}
