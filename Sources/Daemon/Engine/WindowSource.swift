import Audio
import Kernels
import Mel
import Whisper

/// Makes the encoder's input of recordings: consecutive windows of the model's own length, the last one padded.
struct WindowSource: Sendable {
    let dimensions: ModelDimensions
    let context: EncoderContext
    let padding: WindowPadding
    /// Its tables take longer than a short window.
    private let logMel: LogMel

    init(_ dimensions: ModelDimensions, context: EncoderContext = .full, padding: WindowPadding = .sound) {
        self.dimensions = dimensions
        self.context = context
        self.padding = padding
        logMel = LogMel(bands: dimensions.nMels)
    }

    /// - Throws: what reading the recording throws; with ``WindowPadding/mel`` it is gone through once here.
    func windows(of recording: SampleBuffer) throws -> RecordingWindows { try RecordingWindows(recording, self) }

    /// The log-mel of the samples of one window, at most ``ModelDimensions/windowSamples``, padded as
    /// ``WindowPadding/sound``: `[n_mels, 2 × frames]`.
    func mel(_ samples: [Float]) -> Tensor {
        let frames = context.frames(valid: EncoderFrames.valid(sampleCount: samples.count), dimensions)
        guard frames < dimensions.nAudioCtx else {
            return logMel.window(samples, windowSamples: dimensions.windowSamples)
        }
        return logMel.window(samples, firstFrames: 2 * frames)
    }
}

/// One recording as a ``WindowSource`` cuts it.
struct RecordingWindows: Sendable {
    /// At least one, also of a recording without a sample.
    let count: Int
    let recording: SampleBuffer
    private let source: WindowSource
    /// Of the whole recording, where its log-mel is what is padded.
    private let whole: RecordingMel?

    fileprivate init(_ recording: SampleBuffer, _ source: WindowSource) throws {
        self.recording = recording
        self.source = source
        let length = source.dimensions.windowSamples
        count = max(1, (recording.count + length - 1) / length)
        whole = source.padding == .mel ? try RecordingMel(recording, bands: source.dimensions.nMels) : nil
    }

    subscript(index: Int) -> SoundWindow {
        get throws {
            let length = source.dimensions.windowSamples
            let samples = try recording.read(index * length..<min((index + 1) * length, recording.count))
            return SoundWindow(
                index: index, samples: samples,
                validFrames: min(EncoderFrames.valid(sampleCount: samples.count), source.dimensions.nAudioCtx))
        }
    }

    /// The encoder's input for a window: `[n_mels, 2 × frames]`.
    func mel(of window: SoundWindow) throws -> Tensor {
        guard let whole else { return source.mel(window.samples) }
        let frames = 2 * source.context.frames(valid: window.validFrames, source.dimensions)
        let start = window.index * source.dimensions.melFrames
        let count = max(0, min(frames, whole.contentFrames - start))
        return try whole.window(from: start, count: count, paddedTo: frames)
    }
}

/// The part of a recording that one window has.
struct SoundWindow: Sendable {
    /// From 0.
    let index: Int
    let samples: [Float]
    /// Encoder frames that overlap audio.
    let validFrames: Int
}
