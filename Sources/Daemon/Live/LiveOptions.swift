import Whisper

/// What somebody wants to know of sound while it is being made.
public struct LiveOptions: Sendable {
    /// One column of an encoder activation: a neuron of `encoder.blocks.2.mlp.1`, say.
    public struct Feature: Sendable, Hashable {
        /// A hook point's name or alias; one, not several.
        public var hook: String
        public var index: Int
        public init(hook: String, index: Int) {
            self.hook = hook
            self.index = index
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
    /// The last event: seconds of sound that came, and looks that were left out because the engine was busy.
    case end(duration: Double, skippedSteps: UInt64)
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

/// A feature's column, found in the model.
struct LiveColumn {
    let point: HookPoint
    let index: Int

    /// - Throws: ``ServiceError`` or ``WhisperError`` (`invalidArgument`) for a hook that is not one column-wise encoder
    ///   activation, and an index past its columns.
    init(_ feature: LiveOptions.Feature, _ dimensions: ModelDimensions) throws {
        let points = try HookPoint.matching(feature.hook, in: dimensions)
        guard let point = points.first, points.count == 1 else {
            throw ServiceError(
                .invalidArgument, "a feature is one hook point's; \(feature.hook) means \(points.count)")
        }
        guard point.isEncoder, point.axes.first == "frame" else {
            throw ServiceError(
                .invalidArgument,
                "a live feature is a column of an encoder activation, frame by frame; \(point) has the axes "
                    + "\(point.axes.joined(separator: ", "))")
        }
        let columns = point.shape(in: dimensions, tokens: 1).dropFirst().reduce(1, *)
        guard (0..<columns).contains(feature.index) else {
            throw ServiceError(
                .invalidArgument, "\(point) has columns 0 to \(columns - 1), and no column \(feature.index)")
        }
        self.point = point
        self.index = feature.index
    }

    /// The column's values in the rows `frames` of an activation, `[frame, …]`.
    func values(in tensor: CapturedTensor, frames: Range<Int>) -> [Float] {
        let width = tensor.tensor.shape.dropFirst().reduce(1, *)
        return tensor.tensor.withUnsafeBufferPointer { values in
            frames.clamped(to: 0..<tensor.positions).map { values[$0 * width + index] }
        }
    }
}
