import Whisper

/// How much of a window the encoder hears.
public enum EncoderContext: String, Sendable, Codable, CaseIterable {
    /// The model's own window, padded: what openai/whisper computes.
    case full
    /// The frames that overlap audio, and no more of the padding than the convolutions reach into. Short recordings cost
    /// a fraction; activations differ from the exact ones, since attention finds no padding to look at: in the default
    /// model, over clips of two seconds, by about a tenth (relative L2) at the residual stream after the last block.
    case auto

    /// A frame after the last valid one: the convolutions reach two log-mel frames ahead.
    private static let margin = 1

    /// Encoder frames of the context of a window with so many valid ones.
    func frames(valid: Int, _ dimensions: ModelDimensions) -> Int {
        self == .full ? dimensions.nAudioCtx : min(dimensions.nAudioCtx, valid + Self.margin)
    }
}
