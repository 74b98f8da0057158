/// The transcript of a recording.
public struct Transcription: Sendable, Codable {
    public var text: String
    /// The code of the language that was given or found.
    public var language: String
    public var segments: [Segment]

    public init(text: String, language: String, segments: [Segment]) {
        self.text = text
        self.language = language
        self.segments = segments
    }
}

/// A stretch of speech, as the model's timestamps or its windows cut it.
public struct Segment: Sendable, Codable {
    /// Counts from 0.
    public var id: Int
    /// Where its window began, in log-mel frames of 10 ms.
    public var seek: Int
    /// Seconds from the start of the recording.
    public var start: Double
    public var end: Double
    /// With the space that it begins with.
    public var text: String
    /// Timestamp tokens among them.
    public var tokens: [Int]
    public var temperature: Double
    public var avgLogprob: Double
    public var compressionRatio: Double
    /// Nil where the model has no token for it.
    public var noSpeechProb: Double?
    /// Present where word timestamps were asked for.
    public var words: [Word]?

    public init(
        id: Int, seek: Int, start: Double, end: Double, text: String, tokens: [Int], temperature: Double,
        avgLogprob: Double, compressionRatio: Double, noSpeechProb: Double?, words: [Word]? = nil
    ) {
        self.id = id
        self.seek = seek
        self.start = start
        self.end = end
        self.text = text
        self.tokens = tokens
        self.temperature = temperature
        self.avgLogprob = avgLogprob
        self.compressionRatio = compressionRatio
        self.noSpeechProb = noSpeechProb
        self.words = words
    }

    enum CodingKeys: String, CodingKey {
        case id, seek, start, end, text, tokens, temperature, words
        case avgLogprob = "avg_logprob", compressionRatio = "compression_ratio", noSpeechProb = "no_speech_prob"
    }
}

/// A word with its time, from cross-attention.
public struct Word: Sendable, Codable, Hashable {
    /// With the space before it and the punctuation around it.
    public var word: String
    public var start: Double
    public var end: Double
    /// The mean probability of its tokens.
    public var probability: Double

    public init(word: String, start: Double, end: Double, probability: Double) {
        self.word = word
        self.start = start
        self.end = end
        self.probability = probability
    }
}

/// How a recording is transcribed; the names and the defaults are those of openai/whisper's `transcribe`.
public struct TranscribeOptions: Sendable {
    /// How each window is decoded. Its temperature and its prompt are set for each window anew; best-of counts
    /// where the temperature is above 0, beams and patience where it is 0.
    public var decoding = DecodingOptions()
    /// Tried one after another while a window's text fails the thresholds.
    public var temperatures = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    /// A text that zlib makes smaller by more than this repeats itself, and fails.
    public var compressionRatioThreshold: Double? = 2.4
    /// A text of a lower average log-probability fails.
    public var logprobThreshold: Double? = -1
    /// Above this probability of no speech, and where the text fails the threshold before, a window is silent.
    public var noSpeechThreshold: Double? = 0.6
    /// Whether each window's prompt has the text of the one before.
    public var conditionOnPreviousText = true
    /// What is said before the first window: names and words to expect.
    public var initialPrompt: String?
    /// Whether every window, not only the first, begins with the initial prompt.
    public var carryInitialPrompt = false
    public var wordTimestamps = false
    /// Punctuation that belongs to the word after it, and to the word before it.
    public var prependPunctuations = "\"'“¿([{-"
    public var appendPunctuations = "\"'.。,，!！?？:：”)]}、"
    /// Start, end, start, end … of the clips to write down, in seconds; the last end may be left out.
    public var clipTimestamps: [Double] = [0]
    /// With word timestamps: silences longer than this, in seconds, are skipped where words look invented.
    public var hallucinationSilenceThreshold: Double?

    public init() {}
}

/// What a long transcription reports while it runs. All of it is called on the thread that transcribes.
public struct TranscriptionObserver {
    /// A segment, as soon as its window is done.
    public var segment: (Segment) throws -> Void
    /// Seconds of the recording that are done, and in all.
    public var progress: (_ done: Double, _ total: Double) -> Void
    /// Asked before every token; true ends the transcription with ``WhisperError/Code/cancelled``.
    public var isCancelled: () -> Bool

    public init(
        segment: @escaping (Segment) throws -> Void = { _ in },
        progress: @escaping (_ done: Double, _ total: Double) -> Void = { _, _ in },
        isCancelled: @escaping () -> Bool = { false }
    ) {
        self.segment = segment
        self.progress = progress
        self.isCancelled = isCancelled
    }
}
