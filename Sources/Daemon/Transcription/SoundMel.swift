import Audio
import Kernels
import Mel
import Whisper

/// A recording for a transcription whose windows are padded as ``WindowPadding/sound``: each window's log-mel is made by itself, of its samples
/// and zeros behind them.
struct SoundMel: MelSource {
    private let samples: SampleBuffer
    private let mel: LogMel

    init(_ samples: SampleBuffer, bands: Int) {
        self.samples = samples
        mel = LogMel(bands: bands)
    }

    var bands: Int { mel.bands }
    var contentFrames: Int { samples.count / LogMel.hop }

    func window(from start: Int, count: Int) throws -> Tensor {
        try window(from: start, count: count, paddedTo: count)
    }

    func window(from start: Int, count: Int, paddedTo length: Int) throws -> Tensor {
        // The samples behind the last whole frame are sound too.
        let end = start + count < contentFrames ? (start + count) * LogMel.hop : samples.count
        let range = (start * LogMel.hop..<max(start * LogMel.hop, end)).clamped(to: 0..<samples.count)
        return mel.window(try samples.read(range), windowSamples: length * LogMel.hop)
    }
}

extension RecordingMel: MelSource {}

extension WindowPadding {
    /// A recording as a transcription takes it. With ``mel`` it is gone through once here.
    func melSource(_ samples: SampleBuffer, bands: Int) throws -> any MelSource {
        switch self {
        case .sound: SoundMel(samples, bands: bands)
        case .mel: try RecordingMel(samples, bands: bands)
        }
    }
}
