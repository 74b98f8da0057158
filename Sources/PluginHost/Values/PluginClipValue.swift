import Messages

/// Something that lasts from `start` to `end`, in seconds from the recording's beginning.
public struct PluginTimedLabel: Hashable, Sendable {
    public var start: Double
    public var end: Double
    public var label: String

    public init(start: Double, end: Double, label: String) {
        self.start = start
        self.end = end
        self.label = label
    }
}

/// One window of one recording, as a plugin's process() gets it: C's `auscult_clip`.
public struct PluginClipValue: Sendable {
    /// Of the recording in the data set, from 0.
    public var recording: UInt64
    public var window: Int
    /// 0 where it is not known, of sound that is still being made.
    public var windowCount: Int
    /// As the recording was named.
    public var name: String
    /// Seconds, of this window in the recording.
    public var start: Double
    /// Seconds of audio in this window.
    public var duration: Double
    /// Encoder frames that overlap audio.
    public var validFrames: Int
    public var tensors: [PluginTensor]
    /// 16 kHz mono; nil where the plugin asks for no audio.
    public var samples: [Float]?
    /// What the decoder read; nil where the plugin asks for no decoder.
    public var tokens: [Int32]?
    /// The data set's columns.
    public var labels: [(column: String, value: String)]
    public var phonemes: [PluginTimedLabel]
    public var words: [PluginTimedLabel]

    public init(
        recording: UInt64 = 0, window: Int = 0, windowCount: Int = 1, name: String, start: Double = 0,
        duration: Double, validFrames: Int, tensors: [PluginTensor] = [], samples: [Float]? = nil,
        tokens: [Int32]? = nil, labels: [(column: String, value: String)] = [], phonemes: [PluginTimedLabel] = [],
        words: [PluginTimedLabel] = []
    ) {
        self.recording = recording
        self.window = window
        self.windowCount = windowCount
        self.name = name
        self.start = start
        self.duration = duration
        self.validFrames = validFrames
        self.tensors = tensors
        self.samples = samples
        self.tokens = tokens
        self.labels = labels
        self.phonemes = phonemes
        self.words = words
    }
}

/// The model of a run, as activate() gets it: C's `auscult_run`.
public struct PluginRunValue: Hashable, Sendable {
    public var model: String
    public var modelSHA256: String
    /// The names are openai/whisper's.
    public var dimensions: V1.Dimensions
    /// Recordings that the process will see; 0 where it is not known.
    public var recordings: UInt64
    public var seed: UInt64
    /// In what numbers the model computes: "exact", "int8", "bf16".
    public var precision: String

    public init(
        model: String, modelSHA256: String, dimensions: V1.Dimensions, recordings: UInt64 = 0, seed: UInt64 = 0,
        precision: String = "exact"
    ) {
        self.model = model
        self.modelSHA256 = modelSHA256
        self.dimensions = dimensions
        self.recordings = recordings
        self.seed = seed
        self.precision = precision
    }
}

/// What must be there for process(): C's `auscult_needs`.
public struct PluginNeedsValue: Hashable, Sendable {
    /// Names of hook points, or globs.
    public var hooks: [String] = []
    /// The objective whose gradients are wanted beside the values; nil for none.
    public var objective: String?
    /// Padding after the audio as well.
    public var allFrames = false
    public var audio = false
    public var decoder = false
    public var labels = false
    /// No recordings at all: activate() and finish() do the work.
    public var nothingToHear = false
    /// All recordings in one run: the states of two cannot be put together.
    public var oneRun = false
    /// Whether it can hear sound that is still being made.
    public var canStream = false
    /// Whether the instance can save its state and take in others'.
    public var hasState = false

    public init() {}
}
