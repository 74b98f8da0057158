import Kernels

/// What a batch says about the weights. The gradients of encoder and decoder are as large as those and mostly made of a few
/// rows of the batch each, so a latent's are made when its weights are moved, and nowhere kept.
struct Slopes {
    enum Directions {
        /// Σ over a latent's entries of slope · (x − b_dec), and of code · the slope along x̂.
        case sparse(CodesByLatent)
        /// Where a large part of the codes is active: products of whole matrices, [latents, inputs].
        case dense(encoder: [Float], decoder: [Float])
    }

    /// What dead latents learn from the residual, [dead, inputs].
    struct Auxiliary {
        var encoder: [Float], decoder: [Float]
        /// Which of the dead a latent is; −1 for the living, [latents].
        var place: [Int32]
    }

    let inputs: Int, latents: Int
    /// x − b_dec, and the slope of the loss along x̂, [rows, inputs].
    let centred: [Float], toOutput: [Float]
    let directions: Directions
    var auxiliary: Auxiliary?
    /// [latents].
    var encoderBias: [Float]
    var logThreshold: [Float]

    /// Writes the slopes along a latent's row of the encoder and of the decoder, [inputs] each.
    func write(_ latent: Int, encoder: UnsafeMutablePointer<Float>, decoder: UnsafeMutablePointer<Float>) {
        switch directions {
        case .dense(let whole, let other):
            func copy(_ from: UnsafePointer<Float>, _ to: UnsafeMutablePointer<Float>) {
                to.update(from: from + latent * inputs, count: inputs)
            }
            copy(whole, encoder)
            copy(other, decoder)
        case .sparse(let entries):
            let (begin, end) = (entries.starts[latent], entries.starts[latent + 1])
            entries.rows.withUnsafeBufferPointer { rows in
                let rows = UnsafeBufferPointer(rebasing: rows[begin..<end])
                func sum(_ shares: UnsafePointer<Float>, _ x: UnsafePointer<Float>, _ to: UnsafeMutablePointer<Float>) {
                    GatheredRows.weightedSum(shares + begin, x, stride: inputs, rows: rows, width: inputs, into: to)
                }
                sum(entries.slopes, centred, encoder)
                sum(entries.codes, toOutput, decoder)
            }
        }
        guard let auxiliary, auxiliary.place[latent] >= 0 else { return }
        func add(_ from: UnsafePointer<Float>, _ to: UnsafeMutablePointer<Float>) {
            Elementwise.add(from + Int(auxiliary.place[latent]) * inputs, to: to, count: inputs)
        }
        add(auxiliary.encoder, encoder)
        add(auxiliary.decoder, decoder)
    }
}

extension Adam {
    /// Latents whose weights are moved at a time.
    private static let latentBlock = 32

    /// Moves `weights` against `slopes`, directions on the unit sphere: their gradients lose the part that would only change their
    /// lengths, and their lengths stay 1. Where the weights are tied, a latent's two gradients move its direction together.
    mutating func descend(
        _ weights: inout Weights, _ slopes: Slopes, isTied: Bool, rate: Float, thresholdRate: Float
    ) {
        step += 1
        let adam = AdamStep(rate: rate, step: step)
        var biasSlope = columnSums(slopes.toOutput, slopes.toOutput.count / slopes.inputs, slopes.inputs)
        Self.moveDirections(
            adam, slopes, isTied, &weights.encoder, &weights.decoder, &first.encoder, &first.decoder, &second.encoder,
            &second.decoder, &biasSlope)
        adam.update(
            &weights.encoderBias, first: &first.encoderBias, second: &second.encoderBias,
            gradient: slopes.encoderBias, count: slopes.encoderBias.count)
        adam.update(
            &weights.decoderBias, first: &first.decoderBias, second: &second.decoderBias, gradient: biasSlope,
            count: biasSlope.count)
        AdamStep(rate: thresholdRate, step: step).update(
            &weights.logThreshold, first: &first.logThreshold, second: &second.logThreshold,
            gradient: slopes.logThreshold, count: slopes.logThreshold.count)
    }

    /// - Parameter biasSlope: Σ of the slopes along x̂; becomes the whole slope along b_dec, which is also taken from what the encoder sees.
    private static func moveDirections(
        _ adam: AdamStep, _ slopes: Slopes, _ isTied: Bool, _ encoder: UnsafeMutablePointer<Float>,
        _ decoder: UnsafeMutablePointer<Float>, _ firstEncoder: UnsafeMutablePointer<Float>,
        _ firstDecoder: UnsafeMutablePointer<Float>, _ secondEncoder: UnsafeMutablePointer<Float>,
        _ secondDecoder: UnsafeMutablePointer<Float>, _ biasSlope: UnsafeMutablePointer<Float>
    ) {
        let (inputs, latents) = (slopes.inputs, slopes.latents)
        let blocks = (latents + latentBlock - 1) / latentBlock
        FloatMemory.withScratch(blocks * inputs) { throughEncoder in
            throughEncoder.update(repeating: 0, count: blocks * inputs)
            Parallel.blocks(of: latentBlock, in: latents) { range in
                FloatMemory.withScratch(2 * inputs) { toEncoder in
                    let toDecoder = toEncoder + inputs
                    let through = throughEncoder + range.lowerBound / latentBlock * inputs
                    for latent in range {
                        let at = latent * inputs
                        slopes.write(latent, encoder: toEncoder, decoder: toDecoder)
                        Elementwise.addScaled(
                            encoder + at, by: slopes.encoderBias[latent], to: through, count: inputs)
                        if isTied { Elementwise.add(toEncoder, to: toDecoder, count: inputs) }
                        adam.updateDirection(
                            decoder + at, first: firstDecoder + at, second: secondDecoder + at, gradient: toDecoder,
                            count: inputs)
                        if isTied {
                            (encoder + at).update(from: decoder + at, count: inputs)
                        } else {
                            adam.update(
                                encoder + at, first: firstEncoder + at, second: secondEncoder + at,
                                gradient: toEncoder, count: inputs)
                        }
                    }
                }
            }
            for block in 0..<blocks {
                Elementwise.addScaled(throughEncoder + block * inputs, by: -1, to: biasSlope, count: inputs)
            }
        }
    }
}
