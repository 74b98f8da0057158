import Kernels
import Whisper

/// The tokens that the decoder reads in a trace.
struct DecoderPrompt {
    private let input: TraceRequest.DecoderInput
    private let language: String?
    private let task: SpeechTask
    /// Nil where ids are to be read by a model without a vocabulary.
    private let transcriber: Transcriber?

    init(_ request: TraceRequest, _ model: LoadedModel) throws {
        input = request.decoderInput
        language = request.language
        task = request.task
        // Ids can be read without a vocabulary; text and what the model writes cannot.
        if case .tokens = input, model.checkpoint.vocabulary == nil {
            transcriber = nil
        } else {
            let tokenizer = try model.tokenizer()
            if let language { _ = try tokenizer.languageCode(for: language) }
            transcriber = try Transcriber(model.model(), tokenizer: tokenizer)
        }
    }

    /// The sequence for one window.
    /// - Parameters:
    ///   - audio: the encoder's output for it.
    ///   - hooks: the interventions under which the model detects the language and writes.
    ///   - turn: its checkpoints come between the tokens that the model writes.
    func tokens(of audio: Tensor, hooks: HookPlan, turn: EngineTurn?) throws -> [Int] {
        if case .tokens(let ids) = input, ids.first == transcriber?.tokenizer.startOfTranscript ?? ids.first {
            return ids
        }
        guard let transcriber else { return [] }
        let tokenizer = transcriber.tokenizer
        switch input {
        case .tokens(let ids): return try start(audio, hooks) + ids
        case .text(let text):
            let text = tokenizer.encode(" " + text.drop { $0 == " " })
            return try start(audio, hooks) + [tokenizer.noTimestamps] + text
        case .greedy:
            var options = DecodingOptions()
            options.language = language
            options.task = task
            options.withoutTimestamps = true
            options.hooks = hooks
            let probe = TurnProbe(turn)
            let result = try probe.run {
                try transcriber.decode(audio: audio, options: options, isCancelled: probe.isCancelled)
            }
            let start = try tokenizer.startSequence(language: result.language, task: task)
            return start + [tokenizer.noTimestamps] + result.tokens
        }
    }

    /// How many of the tokens that ``tokens(of:hooks:turn:)`` gave are the prompt: the special ones that they begin with, which no
    /// transcript or text has; without a vocabulary the first.
    func promptCount(_ tokens: [Int]) -> Int {
        guard let tokenizer = transcriber?.tokenizer else { return min(1, tokens.count) }
        return tokens.firstIndex { tokenizer.specialName(of: $0) == nil || $0 >= tokenizer.timestampBegin }
            ?? tokens.count
    }

    private func start(_ audio: Tensor, _ hooks: HookPlan) throws -> [Int] {
        guard let transcriber else { return [] }
        var spoken = language
        if spoken == nil, transcriber.tokenizer.isMultilingual {
            let languages = try transcriber.detectLanguage(audio: audio, hooks: hooks)
            spoken = languages.max { $0.probability < $1.probability }?.language
        }
        return try transcriber.tokenizer.startSequence(language: spoken, task: task)
    }
}
