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

/// Adam's memory: the moments of each weight's gradients. ``AdamStep`` has the arithmetic.
struct Adam: Codable, Equatable, Sendable {
    var first, second: Weights
    var step = 0
}
