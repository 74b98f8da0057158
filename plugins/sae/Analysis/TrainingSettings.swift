/// How a dictionary is trained: what a saved state has to agree with.
package struct TrainingSettings: Codable, Equatable, Sendable {
    package enum Variant: String, Codable, CaseIterable, Sendable {
        /// The k · batch largest codes of a batch (Bussmann et al. 2024).
        case batchTopK = "batchtopk"
        /// The k largest codes of a position (Gao et al. 2024).
        case topK = "topk"
        /// A learned threshold a latent (Rajamanoharan et al. 2024).
        case jumpReLU = "jumprelu"
        /// ReLU, and a penalty on the sum of the codes.
        case l1

        /// The weight of the penalty where none is given. JumpReLU's holds L0 within a twentieth of k; L1's leaves some tens of
        /// latents active at a position.
        var penalty: Float { self == .l1 ? 1.5 : 1 }
    }

    package var variant = Variant.batchTopK
    /// The hook point, as it was asked for.
    package var hook = ""
    package var latents = 0
    /// Latents that are active at a position, on average; for L1 it is not looked at.
    package var k = 32
    /// Encoder and decoder share their weights.
    package var isTied = false
    /// Of the L1 penalty, or of the penalty (L0 / k − 1)² of JumpReLU.
    package var sparsity: Float = 0
    /// Of the loss with which dead latents learn what the living ones leave over.
    package var auxiliary: Float = 1 / 32
    /// A latent is dead after so many positions without a code.
    package var deadAfter = 50_000
    /// Width of the kernel through which JumpReLU's thresholds get gradients, in units of the normalised activations.
    package var bandwidth: Float = 0.5
    package var learningRate: Float = 1e-3
    /// Steps until the learning rate is whole. None by default: without them more is explained after a thousand steps.
    package var warmUp = 0
    /// Positions in one step.
    package var batch = 512
    /// Positions in the shuffle buffer.
    package var buffer = 32_768
    /// How often a position is drawn, on average.
    package var passes = 4.0

    package init() {}
}
