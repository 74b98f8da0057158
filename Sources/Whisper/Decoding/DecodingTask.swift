import Foundation
import Kernels

/// Decodes one window: prompt, search, ranking. Equal to openai/whisper's `DecodingTask` for a single audio.
package struct DecodingTask {
    private let model: any SpeechModel
    private let tokenizer: Tokenizer
    private let options: DecodingOptions
    private let filters: [any LogitFilter]
    private let sampleLength: Int
    private let isCancelled: () -> Bool

    /// - Throws: ``WhisperError`` (`invalidArgument`) for options that make no sense for this model.
    package init(
        _ model: any SpeechModel, _ tokenizer: Tokenizer, _ options: DecodingOptions,
        isCancelled: @escaping () -> Bool = { false }
    ) throws {
        try options.check(for: model.dimensions)
        self.model = model
        self.tokenizer = tokenizer
        self.options = options
        self.isCancelled = isCancelled
        sampleLength = options.sampleLength ?? model.dimensions.nTextCtx / 2
        filters = Self.filters(options, tokenizer, model.dimensions)
    }

    private static func filters(
        _ options: DecodingOptions, _ tokenizer: Tokenizer, _ dimensions: ModelDimensions
    ) -> [any LogitFilter] {
        var filters: [any LogitFilter] = []
        let end = tokenizer.timestampBegin + tokenizer.timestampCount
        if end < dimensions.nVocab { filters.append(SuppressUnnamed(first: end)) }
        if options.suppressBlank { filters.append(SuppressBlank(tokenizer)) }
        if let tokens = options.suppressTokens, !tokens.isEmpty { filters.append(SuppressTokens(tokenizer, tokens)) }
        if !options.withoutTimestamps {
            let latest = options.maxInitialTimestamp.flatMap { $0 > 0 ? $0 : nil }
            let index = latest.map { Int(($0 / secondsPerFrame).rounded(.toNearestOrEven)) }
            filters.append(TimestampRules(tokenizer, maxInitialIndex: index))
        }
        return filters
    }

    /// - Parameters:
    ///   - audio: the encoder's output for the window.
    ///   - generator: where the draws come from, should the temperature be above 0.
    package func run(on audio: Tensor) throws -> DecodingResult {
        try run(on: audio, generator: SampleGenerator(seed: options.seed))
    }

    func run(on audio: Tensor, generator: SampleGenerator) throws -> DecodingResult {
        let language = try language(of: audio)
        let initial = try initialTokens(language: language)
        var decoder = tokenDecoder(generator)
        var noSpeech: Double?
        let group = try search(from: initial, audio: audio, decoder: &decoder, noSpeech: &noSpeech)

        let finals = decoder.finalize(group)
        let sampled = finals.map { candidate in
            Array(candidate.tokens.dropFirst(initial.count).prefix { $0 != tokenizer.endOfText })
        }
        let best = MaximumLikelihoodRanker(lengthPenalty: options.lengthPenalty)
            .best(of: finals.map(\.sumLogprob), lengths: sampled.map(\.count))
        let text = tokenizer.decode(sampled[best]).strippedOfWhitespace
        return DecodingResult(
            language: language, tokens: sampled[best], text: text,
            avgLogprob: Double(finals[best].sumLogprob) / Double(sampled[best].count + 1),
            noSpeechProb: noSpeech, temperature: options.temperature, compressionRatio: try compressionRatio(of: text))
    }

    private func tokenDecoder(_ generator: SampleGenerator) -> any TokenDecoder {
        if let beamSize = options.beamSize {
            return BeamSearchDecoder(beamSize: beamSize, patience: options.patience, endOfText: tokenizer.endOfText)
        }
        return GreedyDecoder(
            sequences: options.bestOf ?? 1, temperature: options.temperature, endOfText: tokenizer.endOfText,
            generator: generator)
    }

    private func language(of audio: Tensor) throws -> String {
        if let language = options.language { return try tokenizer.languageCode(for: language) }
        guard tokenizer.isMultilingual else { return "en" }
        return try likeliest(detectLanguage(model, tokenizer, audio: audio))
    }

    /// The main loop: grows the group of sequences until each has ended, or the context is full.
    private func search(
        from initial: [Int], audio: Tensor, decoder: inout any TokenDecoder, noSpeech: inout Double?
    ) throws -> [Candidate] {
        let inference = try model.inference(on: audio)
        // The group's sequences begin alike, so the prompt is read once and its memory shared out.
        var logits = try prompt(initial, inference, noSpeech: &noSpeech)
        var group = Array(repeating: Candidate(tokens: initial, sumLogprob: 0), count: decoder.sequences)
        inference.rearrange(Array(repeating: 0, count: group.count))
        logits = Array(repeating: logits[0], count: group.count)
        for step in 0..<sampleLength {
            if isCancelled() { throw WhisperError(.cancelled, "the transcription was stopped") }
            if step > 0 { logits = try inference.logits(after: group.map { $0.tokens.suffix(1) }) }
            for i in group.indices {
                let sampled = group[i].tokens[initial.count...]
                for filter in filters { filter.apply(&logits[i], sampled: sampled) }
            }
            let (sources, isComplete) = try decoder.update(&group, logits: logits)
            if isComplete || initial.count + step + 1 > model.dimensions.nTextCtx { break }
            inference.rearrange(sources)
        }
        return group
    }

    /// Reads the initial tokens, and gives the probability that there is no speech.
    private func prompt(_ initial: [Int], _ inference: any Inference, noSpeech: inout Double?) throws -> [[Float]] {
        let start = initial.firstIndex(of: tokenizer.startOfTranscript) ?? 0
        let logits = try inference.logits(after: [Array(initial[...start])])
        if let token = tokenizer.noSpeech {
            noSpeech = Double(exp(logits[0][token] - (try logits[0].logNormaliser())))
        }
        let rest = Array(initial[(start + 1)...])
        return rest.isEmpty ? logits : try inference.logits(after: [rest])
    }
}

extension DecodingTask {
    /// `[<|startofprev|> prompt] <|startoftranscript|><|en|><|transcribe|>[<|notimestamps|>] [prefix]`.
    ///
    /// Of the prompt its last n_text_ctx / 2 − 1 tokens count, and of the prefix, where the sample length is
    /// short, so many that both fit into half of the context.
    package func initialTokens(language: String) throws -> [Int] {
        var tokens = try tokenizer.startSequence(language: language, task: options.task)
        if options.withoutTimestamps { tokens.append(tokenizer.noTimestamps) }
        let half = model.dimensions.nTextCtx / 2
        if let prefix = options.prefix.map(ids) {
            // With the sample length's default no room is left; the reference then takes the whole prefix.
            tokens += half > sampleLength ? prefix.suffix(half - sampleLength) : prefix[...]
        }
        if let prompt = options.prompt.map(ids), !prompt.isEmpty {
            guard let previous = tokenizer.special("<|startofprev|>") else {
                throw WhisperError(.unsupported, "the vocabulary lacks <|startofprev|>, so the model takes no prompt")
            }
            tokens = [previous] + prompt.suffix(max(0, half - 1)) + tokens
        }
        guard tokens.count <= model.dimensions.nTextCtx else {
            throw WhisperError(
                .invalidArgument,
                "prompt and prefix make \(tokens.count) tokens; the model's text context holds \(model.dimensions.nTextCtx)"
            )
        }
        return tokens
    }

    private func ids(_ prompt: DecodingOptions.Prompt) -> [Int] {
        switch prompt {
        case .text(let text): tokenizer.encode(" " + text.strippedOfWhitespace)
        case .tokens(let ids): ids
        }
    }
}

/// An encoder frame, and the step of the timestamp tokens: 0.02 s.
let secondsPerFrame = 0.02
