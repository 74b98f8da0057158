import Kernels

/// A sparse dictionary: directions in which activations are written as sums of a few, and how the few are found.
///
///     z = σ((x̃ − b_dec) W_enc + b_enc)        x̂ = z W_dec + b_dec
///
/// where x̃ is x under ``normalisation``, which x̂ is brought back from. A row of W_dec is a latent's direction.
public struct SparseDictionary: Sendable {
    /// What makes the codes sparse.
    public enum Activation: Sendable, Equatable {
        /// max(0, a).
        case relu
        /// The k largest of a position that are positive.
        case topK(Int)
        /// a where a > θ and a > 0, else 0; one θ a latent.
        case jumpReLU([Float])
    }

    /// What is done to an activation before the encoder, and undone behind the decoder.
    public enum Normalisation: String, Sendable {
        case none
        /// Scaled to the length √d.
        case constantNorm = "constant_norm_rescale"
        /// Less its mean, through (its standard deviation with n − 1, plus 1e-5).
        case layerNorm = "layer_norm"
    }

    /// Values of an activation, and latents.
    public let inputs: Int, latents: Int
    /// W_encᵀ, [latents, inputs].
    public let encoder: Tensor
    /// W_dec, [latents, inputs].
    public let decoder: Tensor
    /// [latents].
    public let encoderBias: [Float]
    /// [inputs].
    public let decoderBias: [Float]
    public let activation: Activation
    /// Whether the encoder sees x̃ − b_dec rather than x̃.
    public let subtractsDecoderBias: Bool
    public let normalisation: Normalisation
    /// The hook point whose activations it was made for, as its file names it; "" where that is not known.
    public let hook: String
    /// The model that it was made for, likewise.
    public let model: String

    /// - Parameters:
    ///   - encoder: W_encᵀ, [latents, inputs].
    ///   - decoder: W_dec, [latents, inputs].
    /// - Throws: ``DictionaryError`` (`dataLoss`) where sizes do not fit one another, k is not among 1…latents, or a
    ///   number is not finite.
    public init(
        encoder: Tensor, decoder: Tensor, encoderBias: [Float], decoderBias: [Float], activation: Activation,
        subtractsDecoderBias: Bool = true, normalisation: Normalisation = .none, hook: String = "", model: String = "",
        name: String = "the dictionary"
    ) throws {
        func damaged(_ why: String) -> DictionaryError { DictionaryError(.dataLoss, "\(name): \(why)") }
        guard encoder.rank == 2, encoder.count > 0, encoder.shape == decoder.shape else {
            throw damaged("an encoder of \(encoder.shape) and a decoder of \(decoder.shape) [latents, inputs]")
        }
        (latents, inputs) = (encoder.shape[0], encoder.shape[1])
        guard encoderBias.count == latents, decoderBias.count == inputs else {
            throw damaged(
                "biases of \(encoderBias.count) and \(decoderBias.count) values for \(latents) latents of \(inputs)")
        }
        switch activation {
        case .relu: break
        case .topK(let k):
            guard (1...latents).contains(k) else { throw damaged("k is \(k), expected 1 to its \(latents) latents") }
        case .jumpReLU(let thresholds):
            guard thresholds.count == latents else {
                throw damaged("\(thresholds.count) thresholds for \(latents) latents")
            }
            guard thresholds.allSatisfy(\.isFinite) else { throw damaged("a threshold is not finite") }
        }
        for tensor in [encoder, decoder] {
            guard tensor.withUnsafeBufferPointer({ $0.allSatisfy(\.isFinite) }) else {
                throw damaged("a weight is not finite")
            }
        }
        guard (encoderBias + decoderBias).allSatisfy(\.isFinite) else { throw damaged("a bias is not finite") }
        self.encoder = encoder
        self.decoder = decoder
        self.encoderBias = encoderBias
        self.decoderBias = decoderBias
        self.activation = activation
        self.subtractsDecoderBias = subtractsDecoderBias
        self.normalisation = normalisation
        self.hook = hook
        self.model = model
    }

    /// The direction of a latent: its row of W_dec.
    /// - Throws: ``DictionaryError`` (`invalidArgument`) where there is no such latent.
    public func direction(_ latent: Int) throws -> [Float] {
        try check(latent: latent)
        return decoder.withUnsafeBufferPointer { Array($0[latent * inputs..<(latent + 1) * inputs]) }
    }

    /// - Throws: ``DictionaryError`` (`invalidArgument`) where there is no such latent.
    public func check(latent: Int) throws {
        guard (0..<latents).contains(latent) else {
            throw DictionaryError(
                .invalidArgument, "the dictionary has latents 0 to \(latents - 1), and no latent \(latent)")
        }
    }
}
