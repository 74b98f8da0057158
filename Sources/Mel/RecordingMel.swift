import Audio
import Kernels

/// The log-mel of a whole recording of any length, computed a window at a time, with the values that computing it all
/// at once would give: openai/whisper's `log_mel_spectrogram(audio, padding: 30 s)`.
///
/// A frame depends on the 400 samples around its centre and on the spectrogram's maximum. The maximum is found once, in
/// a first pass over the recording in blocks; the frames are computed when they are asked for. Memory does not grow
/// with the recording.
public struct RecordingMel: Sendable {
    public var bands: Int { mel.bands }
    /// Frames (10 ms) of the recording itself, n/160, without the silence that follows it.
    public let contentFrames: Int

    private let mel: LogMel
    private let samples: SampleBuffer
    /// The maximum of the mel power over the recording; the silence after it has none.
    private let peak: Float

    /// Reads the recording once. Throws what ``SampleBuffer/read(_:)`` throws.
    public init(_ samples: SampleBuffer, bands: Int) throws {
        self.samples = samples
        self.mel = LogMel(bands: bands)
        self.contentFrames = samples.count / LogMel.hop
        self.peak = try Self.peak(of: samples, mel: mel)
    }

    /// Frames `start ..< start + count`, `[bands, count]`; past the recording's end the frames are those of silence.
    public func window(from start: Int, count: Int) throws -> Tensor {
        precondition(start >= 0 && count >= 0, "frames \(start) ..< \(start + count)")
        var out = Tensor(uninitialized: [bands, count])
        let signal = try Self.signal(of: samples, frames: start..<start + count)
        out.withUnsafeMutableBufferPointer { out in
            guard let base = out.baseAddress, count > 0 else { return }
            _ = mel.melPower(signal, frames: count, into: base, stride: count)
            mel.scale(base, count: out.count, peak: peak)
        }
        return out
    }

    /// Frames that reach a sample of the recording; all later ones are silent.
    private static func soundingFrames(_ samples: SampleBuffer) -> Int {
        (samples.count + LogMel.reach) / LogMel.hop + 1
    }

    private static func peak(of samples: SampleBuffer, mel: LogMel) throws -> Float {
        let block = 3000
        let total = soundingFrames(samples)
        var scratch = [Float](repeating: 0, count: mel.bands * min(block, total))
        var peak: Float = 0
        for start in stride(from: 0, to: total, by: block) {
            let count = min(block, total - start)
            let signal = try signal(of: samples, frames: start..<start + count)
            peak = max(peak, mel.melPower(signal, frames: count, into: &scratch, stride: count))
        }
        return peak
    }

    /// The samples that `frames` reach: reflected before the recording's start, zero after its end.
    private static func signal(of samples: SampleBuffer, frames: Range<Int>) throws -> [Float] {
        let first = frames.lowerBound * LogMel.hop - LogMel.reach
        let end = frames.upperBound * LogMel.hop + LogMel.reach
        var signal = [Float](repeating: 0, count: end - first)
        let present = (max(first, 0)..<max(end, 0)).clamped(to: 0..<samples.count)
        if !present.isEmpty {
            let read = try samples.read(present)
            signal.replaceSubrange(present.lowerBound - first..<present.upperBound - first, with: read)
        }
        if first < 0 {
            // x[−i] = x[i]; the recording may be shorter than that.
            let mirror = try samples.read((1..<1 - first).clamped(to: 0..<samples.count))
            for (i, value) in mirror.enumerated() { signal[-first - 1 - i] = value }
        }
        return signal
    }
}
