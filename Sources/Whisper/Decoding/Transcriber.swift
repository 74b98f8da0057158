import Kernels

/// Transcribes with a model. Equal to openai/whisper's `decode`, `detect_language` and `transcribe`.
///
/// Immutable, so any number of transcriptions may use it at once.
public struct Transcriber: Sendable {
    public let model: WhisperModel
    public let tokenizer: Tokenizer
    /// The heads of cross-attention that word timestamps are read from.
    public let alignmentHeads: [GenerationConfig.AlignmentHead]

    /// - Throws: ``WhisperError`` where there is no vocabulary, or one that does not suit Whisper, and where the
    ///   checkpoint names alignment heads that the model does not have.
    public init(
        _ model: WhisperModel, vocabulary: Vocabulary?, generation: GenerationConfig = GenerationConfig()
    ) throws {
        guard let vocabulary else {
            throw WhisperError(
                .invalidArgument,
                "the checkpoint carries no vocabulary; put its .tiktoken or tokenizer.json beside it, or name one")
        }
        try self.init(model, tokenizer: Tokenizer(vocabulary), generation: generation)
    }

    /// - Throws: ``WhisperError`` where the checkpoint names alignment heads that the model does not have.
    public init(
        _ model: WhisperModel, tokenizer: Tokenizer, generation: GenerationConfig = GenerationConfig()
    ) throws {
        self.model = model
        self.tokenizer = tokenizer
        self.alignmentHeads = try generation.alignmentHeads(in: model.dimensions)
    }

    /// How likely each language is, in one window.
    /// - Parameter mel: `[n_mels, 2 × n_audio_ctx]`.
    public func detectLanguage(_ mel: Tensor, hooks: HookPlan? = nil) throws -> [LanguageProbability] {
        try detectLanguage(audio: HookedModel(model, plan: hooks).encode(mel), hooks: hooks)
    }

    /// How likely each language is, in one window that was encoded already.
    /// - Parameter audio: the encoder's output, `[frames, n_audio_state]`.
    public func detectLanguage(audio: Tensor, hooks: HookPlan? = nil) throws -> [LanguageProbability] {
        try Whisper.detectLanguage(HookedModel(model, plan: hooks), tokenizer, audio: audio)
    }

    /// The text of one window.
    /// - Parameters:
    ///   - mel: `[n_mels, 2 × n_audio_ctx]`.
    ///   - isCancelled: asked before every token; true ends it with ``WhisperError/Code/cancelled``.
    public func decode(
        _ mel: Tensor, options: DecodingOptions = DecodingOptions(),
        isCancelled: @escaping () -> Bool = { Task.isCancelled }
    ) throws -> DecodingResult {
        var options = options
        let interventions = try options.hooks?.interventions.within(start: 0, mel: mel)
        options.hooks?.interventions = interventions ?? []
        let model = try HookedModel(model, plan: options.hooks)
        return try decode(audio: model.encode(mel), options: options, isCancelled: isCancelled)
    }

    /// The text of one window that was encoded already.
    /// - Parameter audio: the encoder's output, `[frames, n_audio_state]`: n_audio_ctx frames, or fewer of a shorter
    ///   context.
    public func decode(
        audio: Tensor, options: DecodingOptions = DecodingOptions(),
        isCancelled: @escaping () -> Bool = { Task.isCancelled }
    ) throws -> DecodingResult {
        let (frames, state) = (model.dimensions.nAudioCtx, model.dimensions.nAudioState)
        guard audio.rank == 2, (1...frames).contains(audio.shape[0]), audio.shape[1] == state else {
            throw WhisperError(
                .invalidArgument,
                "the encoder's output is [up to \(frames), \(state)] in this model; it is \(audio.shape)")
        }
        let model = try HookedModel(model, plan: options.hooks)
        return try DecodingTask(model, tokenizer, options, isCancelled: isCancelled).run(on: audio)
    }

    /// The text of a recording of any length, window by window.
    /// - Parameter passes: who encodes the windows and hears what is written of them; nil encodes them under the interventions of
    ///   the options.
    /// - Throws: ``WhisperError``: `invalidArgument` for options that make no sense, `cancelled` where the
    ///   observer or the task says so, and what the observer's `segment` throws.
    public func transcribe(
        _ mel: some MelSource, options: TranscribeOptions = TranscribeOptions(),
        observer: TranscriptionObserver = TranscriptionObserver(), passes: (any TranscriptionPasses)? = nil
    ) throws -> Transcription {
        let hooked = try HookedModel(model, plan: options.decoding.hooks)
        var run = try TranscriptionRun(
            hooked, tokenizer, mel: mel, options: options, alignmentHeads: alignmentHeads, observer: observer,
            passes: passes)
        return try run.callAsFunction()
    }
}

extension GenerationConfig {
    /// The heads that the checkpoint names, or all heads of the decoder's last half, as openai/whisper has it.
    package func alignmentHeads(in dimensions: ModelDimensions) throws -> [AlignmentHead] {
        let layers = 0..<dimensions.nTextLayer, heads = 0..<dimensions.nTextHead
        guard let named = alignmentHeads, !named.isEmpty else {
            return layers.dropFirst(dimensions.nTextLayer / 2).flatMap { layer in
                heads.map { AlignmentHead(layer: layer, head: $0) }
            }
        }
        if let stray = named.first(where: { !layers.contains($0.layer) || !heads.contains($0.head) }) {
            throw WhisperError(
                .dataLoss,
                """
                the checkpoint names alignment head \(stray.head) of decoder layer \(stray.layer); \
                the model has \(layers.count) layers of \(heads.count) heads
                """)
        }
        return Set(named).sorted { ($0.layer, $0.head) < ($1.layer, $1.head) }
    }
}
