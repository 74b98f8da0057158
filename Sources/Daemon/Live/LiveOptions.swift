import PluginHost
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
    /// Analyses that hear the sound too, as it settles in ``rolling``'s contexts.
    var plugins: [Plugin] = []

    public init() {}

    /// An analysis that hears sound while it is made.
    struct Plugin: Sendable {
        /// Its id, the last part of it where that is unique, or its bundle's folder.
        var id: String
        var arguments: [PluginArgument] = []
        var permissions = PluginPermissions()
    }

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
