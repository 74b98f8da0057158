import Kernels

// Vector-Jacobian products. Which latents are above their bounds, or among the largest, is taken as given: where it changes, a code
// has no derivative.

extension SparseDictionary {
    /// Of one latent's codes, `[positions, latents]` → `[positions, inputs]`: what becomes of `g`, one value a position.
    /// - Parameter x: the activations, `[positions, inputs]`.
    /// - Throws: ``DictionaryError`` (`invalidArgument`) for activations of another width, or a latent that is not there.
    public func latentBackward(_ latent: Int, _ g: [Float], at x: Tensor) throws -> Tensor {
        try check(latent: latent)
        let (values, scales) = try normalised(x)
        let codes = encoded(values)
        var h = Tensor(shape: [scales.count, inputs])
        addEncoderRow(latent, to: &h) { row in codes[row, latent] == 0 ? 0 : g[row] }
        return normalisedBackward(h, at: x, scales, scaleSlopes: nil, meanSlopes: nil)
    }

    /// Of ``changing(_:of:_:)``.
    /// - Parameter change: z′ᵢ of zᵢ, and its derivative.
    public func changingBackward(
        _ latent: Int, _ g: Tensor, at x: Tensor, _ change: (Float) -> (value: Float, slope: Float)
    ) throws -> Tensor {
        let direction = try direction(latent)
        let (values, scales) = try normalised(x)
        let codes = encoded(values)
        var h = Tensor(shape: [scales.count, inputs]), slopes = [Float](repeating: 0, count: scales.count)
        let along = g.products(with: direction)
        addEncoderRow(latent, to: &h) { row in
            let z = codes[row, latent], (value, slope) = change(z)
            slopes[row] = (value - z) * along[row]
            return z == 0 ? 0 : (slope - 1) * scales[row].factor * along[row]
        }
        var out = normalisedBackward(h, at: x, scales, scaleSlopes: slopes, meanSlopes: nil)
        out.add(g)
        return out
    }

    /// What each value of one latent is to what ``changing(_:of:_:)`` makes of it: ⟨gᵢ, what 1 more of zᵢ adds⟩, a number a position.
    /// - Parameter x: the activations, `[positions, inputs]`.
    public func latentSlopes(_ latent: Int, _ g: Tensor, at x: Tensor) throws -> [Float] {
        let along = g.products(with: try direction(latent))
        return zip(along, try normalised(x).scales).map { $0 * $1.factor }
    }

    /// Of ``reconstruct(_:)``.
    public func reconstructBackward(_ g: Tensor, at x: Tensor) throws -> Tensor {
        let (values, scales) = try normalised(x)
        let codes = encoded(values), rows = scales.count
        var scaled = g
        scaled.withUnsafeMutableBufferPointer { g in
            for row in 0..<rows { for i in row * inputs..<(row + 1) * inputs { g[i] *= scales[row].factor } }
        }
        // What the decoder makes of codes, to codes; those that are 0 stay so.
        var codeSlopes = Tensor(uninitialized: [rows, latents])
        product(scaled, decoder, .columns, into: &codeSlopes, inner: inputs, outer: latents)
        codeSlopes.withUnsafeMutableBufferPointer { slopes in
            codes.withUnsafeBufferPointer { for i in slopes.indices where $0[i] == 0 { slopes[i] = 0 } }
        }
        var h = Tensor(uninitialized: [rows, inputs])
        product(codeSlopes, encoder, .rows, into: &h, inner: latents, outer: inputs)
        guard normalisation != .none else { return h }
        let plain = try decode(codes)
        var scaleSlopes = [Float](repeating: 0, count: rows), meanSlopes = scaleSlopes
        g.withUnsafeBufferPointer { g in
            plain.withUnsafeBufferPointer { plain in
                for row in 0..<rows {
                    for i in row * inputs..<(row + 1) * inputs {
                        scaleSlopes[row] += g[i] * plain[i]
                        meanSlopes[row] += g[i]
                    }
                }
            }
        }
        return normalisedBackward(
            h, at: x, scales, scaleSlopes: scaleSlopes,
            meanSlopes: normalisation == .layerNorm ? meanSlopes : nil)
    }

    // MARK: - Parts

    private func product(
        _ a: Tensor, _ b: Tensor, _ layout: MatrixProduct.Layout, into c: inout Tensor, inner: Int, outer: Int
    ) {
        let rows = a.shape[0]
        a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                c.withUnsafeMutableBufferPointer { c in
                    guard let a = a.baseAddress, let b = b.baseAddress, let c = c.baseAddress else { return }
                    MatrixProduct.multiplyOnAllThreads(
                        m: rows, n: outer, k: inner, a, lda: inner, b, ldb: inputs, layout, into: c, ldc: outer)
                }
            }
        }
    }

    /// Adds a latent's row of the encoder to each row of `h`, times what `factor` says.
    private func addEncoderRow(_ latent: Int, to h: inout Tensor, factor: (Int) -> Float) {
        let rows = h.shape[0]
        h.withUnsafeMutableBufferPointer { h in
            encoder.withUnsafeBufferPointer { encoder in
                for row in 0..<rows {
                    let factor = factor(row)
                    for i in 0..<inputs where factor != 0 {
                        h[row * inputs + i] += factor * encoder[latent * inputs + i]
                    }
                }
            }
        }
    }

    /// From the normalised activations to the activations themselves; and what the scale and the mean that were taken from them
    /// bring back, where a result was scaled by them again.
    private func normalisedBackward(
        _ g: Tensor, at x: Tensor, _ scales: [RowScale], scaleSlopes: [Float]?, meanSlopes: [Float]?
    ) -> Tensor {
        guard normalisation != .none else { return g }
        var out = g
        let n = Float(inputs)
        out.withUnsafeMutableBufferPointer { g in
            x.withUnsafeBufferPointer { x in
                for (row, scale) in scales.enumerated() {
                    let range = row * inputs..<(row + 1) * inputs
                    guard scale.factor > 0 else { continue }
                    let divisor = scale.factor + (normalisation == .layerNorm ? 1e-5 : 0)
                    var sum: Float = 0, product: Float = 0
                    for i in range {
                        sum += g[i]
                        product += g[i] * (x[i] - scale.mean)
                    }
                    // ∂factor/∂xᵢ is (xᵢ − mean) times this.
                    let factorSlope =
                        normalisation == .layerNorm ? 1 / (scale.factor * max(n - 1, 1)) : 1 / (scale.factor * n)
                    let along = ((scaleSlopes?[row] ?? 0) - product / (divisor * divisor)) * factorSlope
                    let level = normalisation == .layerNorm ? ((meanSlopes?[row] ?? 0) - sum / divisor) / n : 0
                    for i in range { g[i] = g[i] / divisor + along * (x[i] - scale.mean) + level }
                }
            }
        }
        return out
    }
}

extension Tensor {
    /// The product of each row with `vector`.
    fileprivate func products(with vector: [Float]) -> [Float] {
        withUnsafeBufferPointer { x in
            (0..<shape[0]).map { row in
                vector.indices.reduce(0) { $0 + x[row * vector.count + $1] * vector[$1] }
            }
        }
    }
}
