/// The sizes of a Whisper, under openai/whisper's own names (`n_mels`, `n_audio_ctx`, …).
///
/// Every one of them comes from the checkpoint; none is assumed.
public struct ModelDimensions: Sendable, Hashable, Codable {
    /// Mel bands of the input: 80, or 128 in large-v3.
    public var nMels: Int
    /// Encoder frames in one window; a frame is 20 ms, so 1500 is 30 s.
    public var nAudioCtx: Int
    /// Width of the encoder's residual stream.
    public var nAudioState: Int
    public var nAudioHead: Int
    public var nAudioLayer: Int
    public var nVocab: Int
    /// The longest token sequence that the decoder reads.
    public var nTextCtx: Int
    /// Width of the decoder's residual stream.
    public var nTextState: Int
    public var nTextHead: Int
    public var nTextLayer: Int

    public init(
        nMels: Int, nAudioCtx: Int, nAudioState: Int, nAudioHead: Int, nAudioLayer: Int,
        nVocab: Int, nTextCtx: Int, nTextState: Int, nTextHead: Int, nTextLayer: Int
    ) {
        self.nMels = nMels
        self.nAudioCtx = nAudioCtx
        self.nAudioState = nAudioState
        self.nAudioHead = nAudioHead
        self.nAudioLayer = nAudioLayer
        self.nVocab = nVocab
        self.nTextCtx = nTextCtx
        self.nTextState = nTextState
        self.nTextHead = nTextHead
        self.nTextLayer = nTextLayer
    }

    /// Log-mel frames (10 ms) in one window: the second convolution halves them.
    public var melFrames: Int { 2 * nAudioCtx }
    /// Samples at 16 kHz in one window.
    public var windowSamples: Int { nAudioCtx * 320 }

    enum CodingKeys: String, CodingKey {
        case nMels = "n_mels", nAudioCtx = "n_audio_ctx", nAudioState = "n_audio_state"
        case nAudioHead = "n_audio_head", nAudioLayer = "n_audio_layer", nVocab = "n_vocab"
        case nTextCtx = "n_text_ctx", nTextState = "n_text_state", nTextHead = "n_text_head"
        case nTextLayer = "n_text_layer"
    }
}
