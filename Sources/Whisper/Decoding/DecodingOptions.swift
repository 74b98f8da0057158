/// How one window is decoded; the names and the defaults are those of openai/whisper's `DecodingOptions`.
public struct DecodingOptions: Sendable {
    public var task: SpeechTask = .transcribe
    /// A code or an English name; nil: detected.
    public var language: String?
    /// 0 takes the likeliest token; above 0 tokens are drawn, from a flatter distribution the higher it is.
    public var temperature = 0.0
    /// The most tokens to sample; nil means n_text_ctx / 2.
    public var sampleLength: Int?
    /// Independent samples, of which the likeliest is kept; only where the temperature is above 0.
    public var bestOf: Int?
    /// Beams that are kept side by side; only where the temperature is 0.
    public var beamSize: Int?
    /// The search goes on until `beamSize × patience` sequences have ended (arXiv 2204.05424); nil means 1.
    public var patience: Double?
    /// The exponent of Google NMT's length penalty, 0 … 1; nil ranks by the average log-probability.
    public var lengthPenalty: Double?
    /// What was said before, as the decoder's context.
    public var prompt: Prompt?
    /// How this window's own text begins.
    public var prefix: Prompt?
    /// Tokens that are never sampled, -1 for all of ``Tokenizer/nonSpeechTokens``. Where there is any, the
    /// task and start tokens are suppressed too; nil or empty suppresses nothing.
    public var suppressTokens: [Int]? = [-1]
    /// Whether a transcript may not begin with a space or its own end.
    public var suppressBlank = true
    /// Whether the prompt ends with `<|notimestamps|>`, so that only text is sampled.
    public var withoutTimestamps = false
    /// The latest first timestamp, in seconds; nil or 0 sets no limit.
    public var maxInitialTimestamp: Double? = 1
    /// Where the sampling begins. The draws are reproducible, but not those of PyTorch's generator.
    public var seed: UInt64 = 0
    /// Interventions under which encoder and decoder run; its captures are not made.
    public var hooks: HookPlan?

    /// Text, or tokens that were decoded before.
    public enum Prompt: Sendable, Hashable {
        case text(String)
        case tokens([Int])
    }

    public init() {}
}

extension DecodingOptions {
    /// More sequences than this would fill the memory rather than find anything better.
    static let mostSequences = 128

    /// - Throws: ``WhisperError`` (`invalidArgument`) for values out of range, or that exclude one another.
    func check(for dimensions: ModelDimensions) throws {
        func refuse(_ message: String) throws -> Never { throw WhisperError(.invalidArgument, message) }
        let most = min(Self.mostSequences, dimensions.nVocab - 1)
        guard temperature.isFinite, temperature >= 0 else {
            try refuse("the temperature is \(temperature); expected ≥ 0")
        }
        for (name, count) in [("beam size", beamSize), ("best-of", bestOf)] {
            if let count, !(1...most).contains(count) { try refuse("the \(name) is \(count); expected 1 … \(most)") }
        }
        if beamSize != nil, bestOf != nil { try refuse("beam search and best-of sampling exclude each other") }
        if bestOf != nil, temperature == 0 {
            try refuse("best-of needs a temperature above 0: at 0 all samples are alike")
        }
        if beamSize != nil, temperature > 0 { try refuse("beam search needs temperature 0; it is \(temperature)") }
        if let patience {
            guard let beamSize else { try refuse("patience is a property of beam search, and no beam size is given") }
            guard patience.isFinite, (0.5...1000).contains(patience * Double(beamSize)) else {
                try refuse("patience \(patience) × beam size \(beamSize) must lie between 1 and 1000")
            }
        }
        if let lengthPenalty, !(0...1).contains(lengthPenalty) {
            try refuse("the length penalty is \(lengthPenalty); expected 0 … 1")
        }
        if let sampleLength, !(1...dimensions.nTextCtx).contains(sampleLength) {
            try refuse(
                "the sample length is \(sampleLength); expected 1 … \(dimensions.nTextCtx), the model's text context")
        }
        if let maxInitialTimestamp, !(0...3600).contains(maxInitialTimestamp) {
            try refuse("the latest first timestamp is \(maxInitialTimestamp) s; expected 0 … 3600")
        }
        let allowed = 0..<dimensions.nVocab
        if let stray = suppressTokens?.first(where: { $0 != -1 && !allowed.contains($0) }) {
            try refuse("token \(stray) cannot be suppressed; expected -1 or one of \(allowed)")
        }
        for case .tokens(let ids) in [prompt, prefix] {
            if let stray = ids.first(where: { !allowed.contains($0) }) {
                try refuse("token \(stray) of the prompt or prefix is outside \(allowed)")
            }
        }
    }
}

/// What was decoded from one window.
public struct DecodingResult: Sendable {
    /// The code of the language that was given or found.
    public var language: String
    /// The sampled tokens, timestamps among them, without the one that ends the text.
    public var tokens: [Int]
    public var text: String
    /// The mean log-probability of the sampled tokens and the end.
    public var avgLogprob: Double
    /// The probability of `<|nospeech|>` right after `<|startoftranscript|>`; nil where the model has no such token.
    public var noSpeechProb: Double?
    public var temperature: Double
    /// Bytes of the text before and after zlib's compression: high where it repeats itself.
    public var compressionRatio: Double
}

/// How likely the model finds a language.
public struct LanguageProbability: Sendable, Hashable {
    public var language: String
    public var probability: Float
}
