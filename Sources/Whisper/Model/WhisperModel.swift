import Kernels

/// A Whisper in memory: its encoder and its decoder, ready to run.
///
/// Immutable after loading, so any number of runs may use it at once.
public final class WhisperModel: Sendable {
    public let dimensions: ModelDimensions

    /// Loads every weight of the checkpoint and checks its shape.
    /// - Throws: ``WhisperError`` (`dataLoss`) naming the first tensor that is missing or of a wrong shape.
    public init(_ checkpoint: Checkpoint) throws { self.dimensions = checkpoint.dimensions }

    /// The encoder's output for one window.
    /// - Parameters:
    ///   - mel: the scaled log-mel, `[n_mels, 2 × n_audio_ctx]`.
    ///   - hooks: what to capture and to change on the way.
    /// - Returns: `[n_audio_ctx, n_audio_state]`, after `ln_post`; nil where the run stopped early because
    ///   `hooks` had all that it wanted (this happens only where it has captures and needs nothing later).
    public func encode(_ mel: Tensor, hooks: HookRun) throws -> Tensor? { nil }

    /// The encoder's output for one window, without hooks.
    public func encode(_ mel: Tensor) throws -> Tensor { mel }

    /// The decoder's memory for sequences that listen to the same window.
    /// - Parameters:
    ///   - audio: the encoder's output, `[n_audio_ctx, n_audio_state]`.
    ///   - sequences: how many sequences grow side by side (beams, samples).
    public func decoderCache(audio: Tensor, sequences: Int = 1) -> DecoderCache { DecoderCache() }

    /// The logits after each of `tokens`, which follow what `cache` has seen; the cache then has seen them too.
    /// - Parameter tokens: as many lists as the cache has sequences, all of one length ≥ 1.
    /// - Returns: `[sequences, tokens, n_vocab]`, or `[sequences, 1, n_vocab]` with `lastOnly`; nil where the run stopped early.
    /// - Throws: ``WhisperError`` (`invalidArgument`) past n_text_ctx tokens or for a token outside the vocabulary.
    public func decode(_ tokens: [[Int]], cache: DecoderCache, lastOnly: Bool = false, hooks: HookRun) throws -> Tensor? { nil }
    public func decode(_ tokens: [[Int]], cache: DecoderCache, lastOnly: Bool = false) throws -> Tensor { Tensor(shape: []) }
}

/// Keys and values of what a group of sequences has read so far, and of the audio that they listen to.
///
/// One run uses it at a time; it is not Sendable.
public final class DecoderCache {
    /// Tokens seen so far, the same for all sequences.
    public private(set) var length = 0
    public private(set) var sequences = 1
    /// Sequence i goes on from what sequence `sources[i]` was; the number of sequences may change.
    public func rearrange(_ sources: [Int]) {}
}
