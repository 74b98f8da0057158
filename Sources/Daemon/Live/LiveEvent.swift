/// What a listener reports of sound while it is being made.
enum LiveEvent: Sendable, Equatable {
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
    /// The features' values by one pass over a short context.
    case readings(LiveReading)
    /// The sound itself.
    case heard(start: Double, samples: [Int16])
    /// Frames without values: there was no voice in their context, or the engine was busy.
    case unread(start: Double, end: Double, isSilence: Bool)
    /// Sound that was lost.
    case gap(start: Double, end: Double, reason: String)
    /// The interventions of the passes over sound after `start`.
    case steering(start: Double, interventions: [String])
    case marked(time: Double, label: String)
    /// The device was opened, or lost.
    case source(LiveSource)
    /// What a plugin says.
    case plugin(LivePluginNews)

    /// The newest sound that it is about, in seconds; nil where it is about none.
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
        case .plugin(let news): news.end
        case .source: nil
        }
    }
}

/// Text that may change, in seconds from the first sample.
struct LiveHypothesis: Sendable, Equatable {
    var start: Double
    var end: Double
    var text: String
    /// The beginning of it, in whole words, that the hypothesis before had too.
    var stable = ""
    /// Whether it was written without interventions, beside another that was not.
    var isPlain = false
}

/// The features' values by one pass of ``RollingFeatures``.
struct LiveReading: Sendable, Equatable {
    /// The sound of the pass, in seconds. A frame's value was computed from the sound up to `end`.
    var start: Double
    var end: Double
    /// The frames with values, counted from `start`.
    var frames: [Int]
    /// The number of frames, from the first, that are settled: they are not reported again.
    var settled: Int
    /// One list a feature, a value for each of `frames`.
    var values: [[Float]]
}

/// What became of a device.
struct LiveSource: Sendable, Equatable {
    var device: String
    /// Nil where it is open.
    var lost: String?
    var sampleRate = 0.0
    /// Seconds that the device and its driver hold sound back, as they say.
    var latency = 0.0
}

/// A stretch of speech, in seconds from the first sample.
struct LiveSegment: Sendable, Equatable {
    var start: Double
    var end: Double
    var text: String
    var avgLogprob: Double
    /// Nil where the model has no token for it.
    var noSpeechProb: Double?
    /// Whether it was written without interventions, beside another that was not.
    var isPlain = false
}
