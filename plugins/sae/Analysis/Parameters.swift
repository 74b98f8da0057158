/// The numbers that are learned, or something of the same shapes: their gradients, Adam's moments.
struct Weights: Codable, Equatable, Sendable {
    /// W_encᵀ and W_dec, [latents, inputs].
    var encoder, decoder: [Float]
    /// [latents].
    var encoderBias: [Float]
    /// [inputs].
    var decoderBias: [Float]
    /// The logarithm of JumpReLU's thresholds, [latents]; empty for the other variants.
    var logThreshold: [Float]

    init(latents: Int, inputs: Int, hasThresholds: Bool) {
        encoder = [Float](repeating: 0, count: latents * inputs)
        decoder = encoder
        encoderBias = [Float](repeating: 0, count: latents)
        decoderBias = [Float](repeating: 0, count: inputs)
        logThreshold = hasThresholds ? encoderBias : []
    }

    static let parts: [WritableKeyPath<Weights, [Float]> & Sendable] = [
        \.encoder, \.decoder, \.encoderBias, \.decoderBias, \.logThreshold,
    ]

    /// Whether everything has the shapes of `other`, and is finite.
    func isSound(beside other: Weights) -> Bool {
        Self.parts.allSatisfy { self[keyPath: $0].count == other[keyPath: $0].count }
            && Self.parts.allSatisfy { self[keyPath: $0].allSatisfy(\.isFinite) }
    }
}

/// Adam (Kingma and Ba 2015), float32, with its bias corrections.
struct Adam: Codable, Equatable, Sendable {
    var first, second: Weights
    var step = 0

    /// Moves `weights` against `gradients`.
    mutating func update(_ weights: inout Weights, _ gradients: Weights, rate: Float, thresholdRate: Float) {
        step += 1
        let (beta1, beta2): (Float, Float) = (0.9, 0.999)
        let correction1 = 1 - power(beta1, step), correction2 = 1 - power(beta2, step)
        for part in Weights.parts {
            let rate = part == \.logThreshold ? thresholdRate : rate
            gradients[keyPath: part].withUnsafeBufferPointer { g in
                first[keyPath: part].withUnsafeMutableBufferPointer { m in
                    second[keyPath: part].withUnsafeMutableBufferPointer { v in
                        weights[keyPath: part].withUnsafeMutableBufferPointer { w in
                            for i in g.indices {
                                m[i] = beta1 * m[i] + (1 - beta1) * g[i]
                                v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i]
                                w[i] -= rate * (m[i] / correction1) / ((v[i] / correction2).squareRoot() + 1e-8)
                            }
                        }
                    }
                }
            }
        }
    }

    private func power(_ base: Float, _ exponent: Int) -> Float {
        var (result, square, left) = (1.0, Double(base), exponent)
        while left > 0 {
            if left & 1 == 1 { result *= square }
            square *= square
            left >>= 1
        }
        return Float(result)
    }
}
