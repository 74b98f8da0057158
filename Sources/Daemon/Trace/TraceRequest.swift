import Audio
import Kernels
import Whisper

/// What a trace is to contain.
public struct TraceRequest: Sendable {
    /// Which frames of each window are kept.
    public enum Frames: String, Sendable, CaseIterable {
        /// Those that overlap audio.
        case valid
        /// The padding after the audio as well.
        case all
    }

    /// What the decoder reads, where a hook in the decoder is asked for.
    public enum DecoderInput: Sendable, Equatable {
        /// What it writes itself: a greedy decode of the window first.
        case greedy
        /// The start tokens, `<|notimestamps|>`, and this text.
        case text(String)
        /// The start tokens and then these; exactly these where they begin with `<|startoftranscript|>`, or where the
        /// model has no vocabulary.
        case tokens([Int])
    }

    /// The model's input, `[mels, mel_frame]`, under a name beside those of hook points.
    public static let logMel = "log_mel"

    /// Names, globs and aliases of hook points, and ``logMel``.
    public var hooks: [String]
    public var frames = Frames.valid
    public var reduction = Reduction.none
    public var context = EncoderContext.full
    /// What windows are padded with; nil for what is usual: ``WindowPadding/mel`` with a transcript, else ``WindowPadding/sound``.
    public var padding: WindowPadding?
    /// Changes to activations on the way.
    public var interventions: [InterventionSpec] = []
    /// What to differentiate with respect to the hook points, in their text form (``Whisper/ObjectiveText``).
    public var objectives: [String] = []
    /// The part of the recording to look at, in seconds.
    public var seconds: Range<Double>?
    public var decoderInput = DecoderInput.greedy
    /// For the start tokens; nil lets the model detect it.
    public var language: String?
    public var task = SpeechTask.transcribe
    /// How the recording is written down, where the windows, and what the decoder reads in them, are to be those of its transcript. Then
    /// ``decoderInput``, ``language`` and ``task`` count for nothing.
    public var transcript: TranscribeOptions?

    public init(hooks: [String]) { self.hooks = hooks }

    var usedPadding: WindowPadding { padding ?? (transcript == nil ? .sound : .mel) }
}

/// What is known about one tensor, also in the file's metadata under the tensor's name.
public struct TracedTensor: Sendable, Codable, Equatable {
    /// The tensor's name in the file: the hook point's, of a gradient with `@grad` (`@grad1`, `@grad2`, … of several objectives), with `@window1`, `@window2`, … where there are several windows, or where
    /// they are a transcript's.
    public var name: String
    public var hook: String
    /// Counted from 1.
    public var window: Int
    public var dtype = "F32"
    public var shape: [Int]
    public var axes: [String]
    /// The frame of the trace that position 0 stands for; a reduction's first frame. Where a transcript's window begins between two,
    /// the earlier one.
    public var firstFrame: Int?
    /// The token of the window's sequence that position 0 stands for.
    public var firstToken: Int?
    /// Frames per second along the axis of the frames.
    public var framesPerSecond: Double?
    /// Positions of this window that overlap audio.
    public var validFrames: Int?
    /// Of a gradient: the number of its objective, from 1.
    public var objective: Int?

    enum CodingKeys: String, CodingKey {
        case name, hook, window, dtype, shape, axes
        case firstFrame = "first_frame", firstToken = "first_token", framesPerSecond = "frames_per_second"
        case validFrames = "valid_frames", objective
    }
}

/// What a trace found.
public struct TraceSummary: Sendable {
    public var file: String
    public var model: String
    public var digest: String
    public var precision = Precision.exact
    /// What windows were padded with.
    public var padding = WindowPadding.sound
    /// Seconds of audio.
    public var duration: Double
    public var tensors: [TracedTensor]
    /// The tokens that the decoder read, per window; empty without decoder hooks. Of a transcript they are always there, a window's
    /// empty where the transcript took none from it.
    public var tokens: [[Int]]
    /// Of a transcript: how many of each window's tokens were not written in it: earlier text, and the start tokens.
    public var promptTokens: [Int] = []
    /// Where each window begins, in seconds from the part that was looked at.
    public var windowStarts: [Double]
    public var windows: Int { windowStarts.count }
    /// The file that holds the tensors, where one does.
    public var output: String?
    /// What there is to know about the recording.
    public var notices: [Notice] = []
    /// What was differentiated.
    public var objectives: [ObjectiveValues] = []
}

/// An objective, and what it came to in each window; NaN where a window of a transcript has no tokens to read it from.
public struct ObjectiveValues: Sendable, Equatable {
    public var text: String
    public var values: [Double]
}
