/// What somebody wants to know of sound while it is being made.
public struct LiveOptions: Sendable {
    /// One column of an encoder activation: a neuron of `encoder.blocks.2.mlp.1`, say. Or a sparse dictionary's latent.
    public struct Feature: Sendable, Hashable {
        /// A hook point's name or alias; one, not several. With a dictionary, "" for the one that it names.
        public var hook: String
        public var index: Int
        /// The folder of a sparse dictionary, whose latent `index` is read out in place of a column.
        public var dictionary: String?
        public init(hook: String, index: Int, dictionary: String? = nil) {
            self.hook = hook
            self.index = index
            self.dictionary = dictionary
        }
    }

    /// Nil lets the model tell, at every look.
    public var language: String?
    /// Whether to write down what is said.
    public var transcribes = false
    public var features: [Feature] = []
    /// Seconds of new sound between two looks; at least 0.1.
    public var step = 0.5
    /// Seconds of sound that the encoder sees at most, 1 or more; nil for the model's own window, which is also the most.
    public var window: Double?
    /// What the window is padded with. Of ``WindowPadding/mel``, the log-mel is that of the sound in the window.
    public var padding = WindowPadding.sound

    public init() {}
}

/// What came of it.
public enum LiveEvent: Sendable, Equatable {
    /// How loud the new sound was, in decibels below full scale; −120 for silence.
    case level(start: Double, end: Double, rms: Float, peak: Float)
    /// What was said since the last segment, as it looks now; the next one replaces it.
    case hypothesis(start: Double, end: Double, text: String)
    /// What was said; it does not change any more.
    case segment(LiveSegment)
    /// The features' values in the frames that are new, one list a feature. `start` is the first frame's time.
    case activations(start: Double, framesPerSecond: Double, values: [[Float]])
    /// The last event: seconds of sound that came, looks that were left out because the engine was busy, and what windows were padded
    /// with.
    case end(duration: Double, skippedSteps: UInt64, padding: WindowPadding)
}

/// A stretch of speech, in seconds from the first sample.
public struct LiveSegment: Sendable, Equatable {
    public var start: Double
    public var end: Double
    public var text: String
    public var avgLogprob: Double
    /// Nil where the model has no token for it.
    public var noSpeechProb: Double?
}
