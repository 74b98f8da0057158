import Kernels

extension SparseDictionary {
    /// The codes of activations: [positions, inputs] to [positions, latents].
    /// - Throws: ``DictionaryError`` (`invalidArgument`) for activations of another width.
    public func encode(_ x: Tensor) throws -> Tensor { encoded(try normalised(x).values) }

    /// What codes stand for, [positions, latents] to [positions, inputs], before ``normalisation`` is undone.
    /// - Throws: ``DictionaryError`` (`invalidArgument`) for codes of another width.
    public func decode(_ codes: Tensor) throws -> Tensor {
        guard codes.rank == 2, codes.shape[1] == latents else {
            throw DictionaryError(.invalidArgument, "codes of \(codes.shape), expected [positions, \(latents)]")
        }
        return decoded(codes, at: codes.shape[0]) { z, w, x, rows in
            MatrixProduct.multiplyOnAllThreads(
                m: rows, n: inputs, k: latents, z, lda: latents, w, ldb: inputs, .rows, into: x, ldc: inputs,
                accumulating: true)
        }
    }

    /// The same of codes of ours, most of which are 0: the directions of those above it, added up.
    private func decodedFew(_ codes: Tensor) -> Tensor {
        decoded(codes, at: 1) { z, w, x, _ in
            withUnsafeTemporaryAllocation(of: Int32.self, capacity: latents) { places in
                guard let first = places.baseAddress else { return }
                FloatMemory.withScratch(latents + inputs) { values in
                    let found = Selection.collect(z, count: latents, above: 0, into: first)
                    for i in 0..<found { values[i] = z[Int(first[i])] }
                    GatheredRows.weightedSum(
                        values, w, stride: inputs, rows: UnsafeBufferPointer(start: first, count: found), width: inputs,
                        into: values + latents)
                    Elementwise.add(values + latents, to: x, count: inputs)
                    // A code that is no number, of an activation that is none, is above nothing.
                    if Elementwise.dot(z, z, count: latents).isNaN { x.update(repeating: .nan, count: inputs) }
                }
            }
        }
    }

    /// The decoder's bias in each row, and what `add` adds to so many rows at a time: of codes, the decoder, and to what.
    private func decoded(
        _ codes: Tensor, at step: Int,
        _ add: (UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void
    ) -> Tensor {
        let rows = codes.shape[0]
        var out = Tensor(uninitialized: [rows, inputs])
        out.withUnsafeMutableBufferPointer { out in
            codes.withUnsafeBufferPointer { codes in
                decoder.withUnsafeBufferPointer { decoder in
                    guard let z = codes.baseAddress, let w = decoder.baseAddress, let x = out.baseAddress else {
                        return
                    }
                    for row in 0..<rows { (x + row * inputs).update(from: decoderBias, count: inputs) }
                    Parallel.blocks(of: max(step, 1), in: rows) { range in
                        add(z + range.lowerBound * latents, w, x + range.lowerBound * inputs, range.count)
                    }
                }
            }
        }
        return out
    }

    /// x̂: what is left of activations that pass through the dictionary.
    /// - Throws: ``DictionaryError`` (`invalidArgument`) for activations of another width.
    public func reconstruct(_ x: Tensor) throws -> Tensor {
        let (values, scales) = try normalised(x)
        var out = decodedFew(encoded(values))
        guard normalisation != .none else { return out }
        out.withUnsafeMutableBufferPointer { out in
            for (row, scale) in scales.enumerated() {
                for i in row * inputs..<(row + 1) * inputs { out[i] = out[i] * scale.factor + scale.mean }
            }
        }
        return out
    }

    /// A change of one latent of activations, whose other parts, and what the dictionary does not explain, stay: x plus
    /// (z′ᵢ − zᵢ) times the latent's direction.
    /// - Parameter change: z′ᵢ of zᵢ.
    /// - Throws: ``DictionaryError`` (`invalidArgument`) for activations of another width, or a latent that is not there.
    public func changing(_ latent: Int, of x: Tensor, _ change: (Float) -> Float) throws -> Tensor {
        let direction = try direction(latent)
        let (values, scales) = try normalised(x)
        let codes = encoded(values)
        var out = x.reshaped([scales.count, inputs])
        codes.withUnsafeBufferPointer { codes in
            out.withUnsafeMutableBufferPointer { out in
                for (row, scale) in scales.enumerated() {
                    let z = codes[row * latents + latent]
                    let step = (change(z) - z) * scale.factor
                    guard step != 0 else { continue }
                    for i in 0..<inputs { out[row * inputs + i] += step * direction[i] }
                }
            }
        }
        return out
    }

    /// What takes a normalised row back: times `factor`, plus `mean`.
    struct RowScale {
        var factor: Float = 1
        var mean: Float = 0
    }

    func normalised(_ x: Tensor) throws -> (values: Tensor, scales: [RowScale]) {
        guard x.rank >= 1, let rows = x.shape.first, x.count == rows * inputs else {
            throw DictionaryError(
                .invalidArgument,
                "activations of \(x.shape) do not fit the dictionary, which is of \(inputs) values a position")
        }
        var values = x.reshaped([rows, inputs])
        var scales = [RowScale](repeating: RowScale(), count: rows)
        guard normalisation != .none else { return (values, scales) }
        values.withUnsafeMutableBufferPointer { values in
            for row in 0..<rows {
                let range = row * inputs..<(row + 1) * inputs
                scales[row] = scale(UnsafeMutableBufferPointer(rebasing: values[range]))
            }
        }
        return (values, scales)
    }

    /// Normalises one row in place.
    private func scale(_ row: UnsafeMutableBufferPointer<Float>) -> RowScale {
        var scale = RowScale()
        var squares: Float = 0
        if normalisation == .layerNorm {
            scale.mean = row.reduce(0, +) / Float(row.count)
            for value in row { squares += (value - scale.mean) * (value - scale.mean) }
            scale.factor = (squares / Float(max(row.count - 1, 1))).squareRoot()
            for i in row.indices { row[i] = (row[i] - scale.mean) / (scale.factor + 1e-5) }
        } else {
            for value in row { squares += value * value }
            scale.factor = squares.squareRoot() / Float(row.count).squareRoot()
            if scale.factor > 0 { for i in row.indices { row[i] /= scale.factor } }
        }
        return scale
    }

    func encoded(_ values: Tensor) -> Tensor {
        let rows = values.shape[0]
        var codes = Tensor(uninitialized: [rows, latents])
        var centred = values
        if subtractsDecoderBias {
            centred.withUnsafeMutableBufferPointer { x in
                for row in 0..<rows { for i in 0..<inputs { x[row * inputs + i] -= decoderBias[i] } }
            }
        }
        codes.withUnsafeMutableBufferPointer { codes in
            for row in 0..<rows { for i in 0..<latents { codes[row * latents + i] = encoderBias[i] } }
            centred.withUnsafeBufferPointer { x in
                encoder.withUnsafeBufferPointer { w in
                    guard let x = x.baseAddress, let w = w.baseAddress, let out = codes.baseAddress else { return }
                    MatrixProduct.multiplyOnAllThreads(
                        m: rows, n: latents, k: inputs, x, lda: inputs, w, ldb: inputs, .columns, into: out,
                        ldc: latents, accumulating: true)
                }
            }
            activate(codes)
        }
        return codes
    }

    /// Pre-activations, row by row, to codes.
    private func activate(_ codes: UnsafeMutableBufferPointer<Float>) {
        let bounds: [Float] =
            if case .jumpReLU(let thresholds) = activation { thresholds.map { max($0, 0) } } else { [] }
        Parallel.blocks(of: 16, in: codes.count / latents) { range in
            for row in range {
                let line = UnsafeMutableBufferPointer(rebasing: codes[row * latents..<(row + 1) * latents])
                switch activation {
                case .relu: for i in line.indices { line[i] = max(line[i], 0) }
                case .topK(let k): LargestValues.keep(k, of: line)
                case .jumpReLU: for i in line.indices where !(line[i] > bounds[i]) { line[i] = 0 }
                }
            }
        }
    }
}
