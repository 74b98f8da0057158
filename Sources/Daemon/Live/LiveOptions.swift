import Whisper

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

    /// Nil: detected, at every step.
    public var language: String?
    /// Whether to transcribe.
    public var transcribes = false
    public var features: [Feature] = []
    /// Seconds of new sound between two steps; at least 0.1.
    public var step = 0.5
    /// Seconds of sound that the encoder sees at most, 1 or more; nil for the model's own window, which is also the most.
    public var window: Double?
    /// What the window is padded with. Of ``WindowPadding/mel``, the log-mel is that of the sound in the window.
    public var padding = WindowPadding.sound
    /// How much of the text's window the encoder computes.
    public var context = EncoderContext.full
    /// Features from a rolling short context, in place of the text's window.
    public var rolling: Rolling?
    /// What passes run under, to begin with.
    public var interventions: [InterventionSpec] = []
    /// Whether text is also written without interventions.
    public var compares = false
    /// Whether the sound is told among the events too, where there is ``rolling``.
    public var echoes = false

    public init() {}

    /// How features are read from a short context.
    public struct Rolling: Sendable {
        /// Frames of new sound between two passes; at least 1.
        public var hopFrames = 5
        /// Frames of a context, a multiple of 4; nil for 160, or what the model can hear.
        public var frames: Int?
        /// A value is told again when it changed by more than this part of the greatest magnitude that its feature has had.
        public var revision: Float = 0.05
        /// Whether passes are made where nobody speaks as well.
        public var inSilence = false
        /// Whether sound does not wait: then what cannot be heard in time is passed over.
        public var passesOver = false

        public init() {}

        /// - Throws: ``ServiceError`` (`invalidArgument`) for a context that is no multiple of 4 frames, too short or longer than
        ///   the model's own.
        func contextFrames(_ dimensions: ModelDimensions) throws -> Int {
            let most = dimensions.nAudioCtx / 4 * 4
            let frames = frames ?? min(160, most)
            guard frames % 4 == 0, frames >= min(20, most), frames <= most else {
                throw ServiceError(
                    .invalidArgument,
                    "a context of \(frames * 20) ms; expected a multiple of 80 ms, \(min(20, most) * 20) to \(most * 20)"
                )
            }
            guard hopFrames >= 1, hopFrames <= frames else {
                throw ServiceError(
                    .invalidArgument, "a hop of \(hopFrames * 20) ms; expected 20 ms to the context's \(frames * 20)")
            }
            guard revision.isFinite, revision >= 0 else {
                throw ServiceError(.invalidArgument, "a revision of \(revision); expected a number, 0 or more")
            }
            return frames
        }
    }
}

/// What came of it.
public enum LiveEvent: Sendable, Equatable {
    /// How loud the new sound was, in decibels below full scale; −120 for silence.
    case level(start: Double, end: Double, rms: Float, peak: Float, voice: Bool = false)
    /// The text since the last segment, so far; the next one replaces it.
    case hypothesis(LiveHypothesis)
    /// Text that is final.
    case segment(LiveSegment)
    /// The features' values in the frames that are new, one list a feature. `start` is the first frame's time.
    case activations(start: Double, framesPerSecond: Double, values: [[Float]])
    /// The last event: seconds of sound that came, steps that were skipped because the engine was busy, and what windows were padded
    /// with.
    case end(duration: Double, skippedSteps: UInt64, padding: WindowPadding, mergedHops: UInt64 = 0)
    /// What a pass over a short context said.
    case readings(LiveReading)
    /// The sound itself.
    case heard(start: Double, samples: [Int16])
    /// Frames that are not told: nobody spoke in their context, or the engine was busy.
    case unread(start: Double, end: Double, isSilence: Bool)
    /// Sound that was lost.
    case gap(start: Double, end: Double, reason: String)
    /// The interventions of the passes that hear sound after `start`.
    case steering(start: Double, interventions: [String])
    case marked(time: Double, label: String)
    /// The device was opened, or lost.
    case source(LiveSource)

    /// The newest sound that it speaks of, in seconds; nil where it speaks of none.
    var newest: Double? {
        switch self {
        case .level(_, let end, _, _, _), .unread(_, let end, _), .gap(_, let end, _), .end(let end, _, _, _): end
        case .hypothesis(let hypothesis): hypothesis.end
        case .segment(let segment): segment.end
        case .activations(let start, let rate, let values): start + Double(values.first?.count ?? 0) / max(rate, 1)
        case .readings(let reading): reading.end
        case .steering(let start, _): start
        case .marked(let time, _): time
        case .heard(let start, let samples): start + Double(samples.count) / 16000
        case .source: nil
        }
    }
}

/// Text that may change, in seconds from the first sample.
public struct LiveHypothesis: Sendable, Equatable {
    public var start: Double
    public var end: Double
    public var text: String
    /// The beginning of it, in whole words, that the hypothesis before had too.
    public var stable = ""
    /// Whether it was written without interventions, beside another that was not.
    public var isPlain = false
}

/// What one pass of ``RollingFeatures`` said.
public struct LiveReading: Sendable, Equatable {
    /// The sound that was heard, in seconds. A frame's value has seen what lies between the frame and `end`.
    public var start: Double
    public var end: Double
    /// The frames that are told, counted from `start`.
    public var frames: [Int]
    /// So many of them, from the first, are not told again.
    public var settled: Int
    /// One list a feature, a value for each of `frames`.
    public var values: [[Float]]
}

/// What became of a device.
public struct LiveSource: Sendable, Equatable {
    public var device: String
    /// Nil where it is open.
    public var lost: String?
    public var sampleRate = 0.0
    /// Seconds that the device and its driver hold sound back, as they say.
    public var latency = 0.0
}

/// A stretch of speech, in seconds from the first sample.
public struct LiveSegment: Sendable, Equatable {
    public var start: Double
    public var end: Double
    public var text: String
    public var avgLogprob: Double
    /// Nil where the model has no token for it.
    public var noSpeechProb: Double?
    /// Whether it was written without interventions, beside another that was not.
    public var isPlain = false
}
