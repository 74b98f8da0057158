/// How a dictionary is trained: what a saved state has to agree with.
struct TrainingSettings: Codable, Equatable, Sendable {
    enum Variant: String, Codable, CaseIterable, Sendable {
        /// The k · batch largest codes of a batch (Bussmann et al. 2024).
        case batchTopK = "batchtopk"
        /// The k largest codes of a position (Gao et al. 2024).
        case topK = "topk"
        /// A learned threshold a latent (Rajamanoharan et al. 2024).
        case jumpReLU = "jumprelu"
        /// ReLU, and a penalty on the sum of the codes.
        case l1
    }

    var variant = Variant.batchTopK
    /// The hook point, as it was asked for.
    var hook = ""
    var latents = 0
    /// Latents that are active at a position, on average; for L1 it is not looked at.
    var k = 32
    /// Encoder and decoder share their weights.
    var isTied = false
    /// Of the L1 penalty, or of the penalty (L0 / k − 1)² of JumpReLU.
    var sparsity: Float = 0
    /// Of the loss with which dead latents learn what the living ones leave over.
    var auxiliary: Float = 1 / 32
    /// A latent is dead after so many positions without a code.
    var deadAfter = 50_000
    /// Width of the kernel through which JumpReLU's thresholds get gradients, in units of the normalised activations.
    var bandwidth: Float = 0.05
    var learningRate: Float = 1e-3
    /// Steps until the learning rate is whole.
    var warmUp = 100
    /// Positions in one step.
    var batch = 512
    /// Positions in the shuffle buffer.
    var buffer = 32_768
    /// How often a position is drawn, on average.
    var passes = 4.0
}

/// SplitMix64 (Steele, Lea and Flood 2014): its state is one number, which is saved with the rest.
struct Draws: Codable, Equatable, Sendable {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// A number below `bound`, which is 1 or more.
    mutating func index(below bound: Int) -> Int { Int(next().multipliedFullWidth(by: UInt64(bound)).high) }

    /// Uniform in −1…1.
    mutating func uniform() -> Float { Float(next() >> 40) * 0x1p-23 - 1 }
}
