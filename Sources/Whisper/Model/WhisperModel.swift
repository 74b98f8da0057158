import Kernels
import Synchronization

/// A Whisper in memory: its encoder and its decoder, ready to run.
///
/// Immutable after loading, so any number of runs may use it at once.
public final class WhisperModel: Sendable {
    public let dimensions: ModelDimensions
    /// In what numbers the products with the weights are computed.
    public let precision: Precision
    let encoder: Encoder
    let decoder: Decoder
    private let encoded = Atomic(0)
    private let recent = RecentOutputs()

    /// Passes of the encoder that were begun since loading, for whomever they were; where an intervention puts in what padding
    /// gives, the pass over padding is one of them. What was kept of an earlier pass is none.
    public var encoderPasses: Int { encoded.load(ordering: .relaxed) }

    /// Bytes of what is kept of earlier passes.
    public var keptBytes: Int { recent.bytes }

    /// Lets that go.
    public func forgetOutputs() { recent.forget() }

    /// Loads every weight of the checkpoint and checks its shape.
    /// - Throws: ``WhisperError`` (`dataLoss`) naming the first tensor that is missing or of a wrong shape; `unsupported` for a
    ///   precision that this processor has not.
    public init(_ checkpoint: Checkpoint, precision: Precision = .exact) throws {
        if let refusal = precision.refusal { throw WhisperError(.unsupported, refusal) }
        let dims = checkpoint.dimensions
        guard dims.nAudioHead > 0, dims.nTextHead > 0,
            dims.nAudioState % dims.nAudioHead == 0, dims.nTextState % dims.nTextHead == 0
        else {
            throw WhisperError(
                .dataLoss,
                "the state must divide evenly among the heads: the encoder has \(dims.nAudioState) over "
                    + "\(dims.nAudioHead) heads, the decoder \(dims.nTextState) over \(dims.nTextHead)")
        }
        guard dims.nAudioState == dims.nTextState else {
            throw WhisperError(
                .unsupported,
                "encoder and decoder must be of one width, as in every Whisper; "
                    + "they are \(dims.nAudioState) and \(dims.nTextState)")
        }
        dimensions = dims
        self.precision = precision
        encoder = try Encoder(checkpoint.weights, dims, precision)
        decoder = try Decoder(checkpoint.weights, dims, precision)
        // The weights are packed now, and what they were read into is of no more use.
        checkpoint.weights.rest()
        FloatMemory.trim()
    }

    /// The encoder's output for one window.
    /// - Parameters:
    ///   - mel: the scaled log-mel, `[n_mels, 2 × n_audio_ctx]` as the model was made for, or of fewer frames: then the
    ///     encoder computes a context that ends with them, which costs less and is not quite the same.
    ///   - hooks: what to capture and to change on the way.
    /// - Returns: `[frames, n_audio_state]`, after `ln_post`, a frame for two of the log-mel; nil where the run stopped
    ///   early because `hooks` had all that it wanted.
    /// - Throws: ``WhisperError`` (`invalidArgument`) for a mel of another shape, and what the sink of `hooks` throws.
    public func encode(_ mel: Tensor, hooks: HookRun) throws -> Tensor? {
        guard mel.rank == 2, mel.shape[0] == dimensions.nMels, mel.shape[1] % 2 == 0,
            (2...dimensions.melFrames).contains(mel.shape[1])
        else {
            throw WhisperError(
                .invalidArgument,
                "the log-mel of one window must be [\(dimensions.nMels), \(dimensions.melFrames)] for this model, "
                    + "or an even number of frames fewer; it is \(mel.shape)")
        }
        for (source, points) in hooks.needsOfOthers(.encoder) {
            hooks.setActivations(try activations(of: source, at: points, frames: mel.shape[1]), of: source)
        }
        guard hooks.takesKeptOutput else { return try computed(mel, hooks) }
        var output = try keptOutput(of: mel, for: hooks)
        return try hooks.pass(.encoder) {
            try HookScope(hooks, .encoder)(.lnPost, &output)
            return output
        }
    }

    private func computed(_ mel: Tensor, _ hooks: HookRun) throws -> Tensor? {
        encoded.wrappingAdd(1, ordering: .relaxed)
        hooks.tape?.mel = mel
        return try hooks.pass(.encoder) { try encoder(mel, hooks: HookScope(hooks, .encoder)) }
    }

    /// The encoder's output as nothing changes it, computed or of before.
    func keptOutput(of mel: Tensor, for hooks: HookRun) throws -> Tensor {
        try recent.output(of: mel) { try whole(computed(mel, hooks.unchanged())) }
    }

    /// The encoder's output for one window, without hooks: `[n_audio_ctx, n_audio_state]`.
    public func encode(_ mel: Tensor) throws -> Tensor {
        try whole(encode(mel, hooks: HookRun(HookPlan(), dimensions: dimensions)))
    }

    /// The decoder's memory for sequences that listen to the same window.
    /// - Parameters:
    ///   - audio: the encoder's output, `[n_audio_ctx, n_audio_state]`.
    ///   - sequences: how many sequences grow side by side (beams, samples).
    public func decoderCache(audio: Tensor, sequences: Int = 1) -> DecoderCache {
        precondition(
            audio.rank == 2 && audio.shape[1] == dimensions.nAudioState && audio.shape[0] > 0 && sequences > 0,
            "audio of shape \(audio.shape) for \(sequences) sequences")
        return DecoderCache(audio: audio, sequences: sequences, dimensions: dimensions)
    }

    /// The logits after each of `tokens`, which follow what `cache` has seen; the cache then has seen them too.
    /// - Parameter tokens: as many lists as the cache has sequences, all of one length ≥ 1.
    /// - Returns: `[sequences, tokens, n_vocab]`, or `[sequences, 1, n_vocab]` with `lastOnly`; nil where the run stopped early.
    /// - Throws: ``WhisperError`` (`invalidArgument`) past n_text_ctx tokens or for a token outside the vocabulary.
    public func decode(_ tokens: [[Int]], cache: DecoderCache, lastOnly: Bool = false, hooks: HookRun) throws -> Tensor?
    {
        let count = try checked(tokens, cache)
        try hooks.tape?.read(tokens, cache)
        try readBeside(tokens, cache, lastOnly: lastOnly, hooks: hooks)
        let scope = HookScope(hooks, .decoder, firstPosition: cache.length, tokens: count, sequences: cache.sequences)
        let logits = try hooks.pass(.decoder) {
            try decoder(tokens.flatMap { $0 }, cache: cache, lastOnly: lastOnly, hooks: scope)
        }
        cache.advance(by: count)
        return logits?.reshaped([cache.sequences, lastOnly ? 1 : count, dimensions.nVocab])
    }

    /// The logits after each of `tokens`, without hooks: `[sequences, tokens, n_vocab]`.
    public func decode(_ tokens: [[Int]], cache: DecoderCache, lastOnly: Bool = false) throws -> Tensor {
        try whole(
            decode(tokens, cache: cache, lastOnly: lastOnly, hooks: HookRun(HookPlan(), dimensions: dimensions)))
    }

    /// The log-mel of digital silence, `[n_mels, 2 × n_audio_ctx]`: log10 of the floor 1e-10, scaled, is −1.5 everywhere.
    public var paddingMel: Tensor { paddingMel(frames: dimensions.melFrames) }

    func paddingMel(frames: Int) -> Tensor {
        Tensor(shape: [dimensions.nMels, frames], repeatElement(-1.5, count: dimensions.nMels * frames))
    }

    private func checked(_ tokens: [[Int]], _ cache: DecoderCache) throws -> Int {
        guard let count = tokens.first?.count, count > 0, tokens.count == cache.sequences,
            tokens.allSatisfy({ $0.count == count })
        else {
            throw WhisperError(
                .invalidArgument,
                "expected \(cache.sequences) token lists of one length, at least 1; their lengths are \(tokens.map(\.count))"
            )
        }
        guard cache.length + count <= dimensions.nTextCtx else {
            throw WhisperError(
                .invalidArgument,
                "\(cache.length + count) tokens are more than the decoder's context of \(dimensions.nTextCtx)")
        }
        if let stray = tokens.lazy.joined().first(where: { !(0..<self.dimensions.nVocab).contains($0) }) {
            throw WhisperError(
                .invalidArgument, "token \(stray) is outside the vocabulary of \(dimensions.nVocab) tokens")
        }
        return count
    }

    /// A run without captures never stops early.
    private func whole(_ result: Tensor?) throws -> Tensor {
        guard let result else { throw WhisperError(.cancelled, "the run stopped before its end") }
        return result
    }
}
