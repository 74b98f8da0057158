import Whisper

/// What a Whisper's products cost, from its sizes alone: the arithmetic that no implementation in float32 can do without.
public enum ModelCost {
    /// Float32 operations (two to a multiply-add) of the encoder's products on `frames` frames, n_audio_ctx in a whole
    /// window. With F frames, width d, L blocks:
    ///
    ///     convolutions   2 · 2F · 3 · n_mels · d  +  2 · F · 3 · d · d
    ///     each block     2 · F · d · d  four times (query, key, value, out)
    ///                    2 · F · F · d  twice      (scores, weighted values; all heads together)
    ///                    2 · F · d · 4d twice      (mlp)
    ///
    /// Softmax, GELU, norms, biases and sums are not counted: they are a hundredth of it.
    public static func encoderOperations(_ dimensions: ModelDimensions, frames: Int) -> Double {
        let (f, d) = (Double(frames), Double(dimensions.nAudioState))
        let convolutions = 2 * 2 * f * 3 * Double(dimensions.nMels) * d + 2 * f * 3 * d * d
        let block = 4 * 2 * f * d * d + 2 * 2 * f * f * d + 2 * 2 * f * d * 4 * d
        return convolutions + Double(dimensions.nAudioLayer) * block
    }

    /// Weights that the decoder reads for one token: each block's 4 d² of self-attention, 2 d² of cross-attention (query
    /// and out: keys and values of the audio are kept), 8 d² of the mlp, and the n_vocab · d of the unembedding.
    public static func decoderWeights(_ dimensions: ModelDimensions) -> Double {
        let d = Double(dimensions.nTextState)
        return Double(dimensions.nTextLayer) * 14 * d * d + Double(dimensions.nVocab) * d
    }

    /// Elements of the audio's keys and values that the decoder reads for one token.
    public static func decoderAudioElements(_ dimensions: ModelDimensions) -> Double {
        Double(dimensions.nTextLayer) * 2 * Double(dimensions.nAudioCtx) * Double(dimensions.nTextState)
    }

    /// Weights of the whole model, norms and biases left out.
    public static func weights(_ dimensions: ModelDimensions) -> Double {
        let d = Double(dimensions.nAudioState)
        let encoder = Double(dimensions.nAudioLayer) * 12 * d * d + 3 * d * (d + Double(dimensions.nMels))
        let decoder = Double(dimensions.nTextLayer) * 16 * d * d + Double(dimensions.nVocab + dimensions.nTextCtx) * d
        return encoder + decoder + Double(dimensions.nAudioCtx) * d
    }
}
