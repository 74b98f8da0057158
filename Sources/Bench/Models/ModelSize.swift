import Whisper

/// The sizes that Whispers were released in.
public enum ModelSize: String, CaseIterable, Sendable {
    case tiny, base, small, medium
    case largeV3 = "large-v3"

    public var dimensions: ModelDimensions {
        switch self {
        case .tiny: Self.sizes(width: 384, heads: 6, layers: 4)
        case .base: Self.sizes(width: 512, heads: 8, layers: 6)
        case .small: Self.sizes(width: 768, heads: 12, layers: 12)
        case .medium: Self.sizes(width: 1024, heads: 16, layers: 24)
        case .largeV3: Self.sizes(width: 1280, heads: 20, layers: 32, bands: 128, vocabulary: 51866)
        }
    }

    /// The same encoder with a decoder of one block: an encoder's cost needs no more of it.
    public var encoderDimensions: ModelDimensions {
        var dimensions = dimensions
        dimensions.nTextLayer = 1
        return dimensions
    }

    private static func sizes(
        width: Int, heads: Int, layers: Int, bands: Int = 80, vocabulary: Int = 51865
    ) -> ModelDimensions {
        ModelDimensions(
            nMels: bands, nAudioCtx: 1500, nAudioState: width, nAudioHead: heads, nAudioLayer: layers,
            nVocab: vocabulary, nTextCtx: 448, nTextState: width, nTextHead: heads, nTextLayer: layers)
    }
}
