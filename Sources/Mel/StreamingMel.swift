import Kernels

/// The log-mel of sound that is still being made: samples come in pieces, and each frame is computed once, when the last of
/// the samples that it reaches has come.
///
/// Kept are the samples and the mel power, before the logarithm, of frames not let go yet: a spectrogram is scaled by the greatest
/// power in it, which is known when the spectrogram is asked for. So any range can be had, scaled as if it had been computed at
/// once, to the bit. Memory is that of what is kept: let go what is no longer needed.
public struct StreamingMel: Sendable {
    private let mel: LogMel
    /// The first frame that is kept, in frames from the first sample of all; its centre is the first sample kept.
    public private(set) var firstFrame = 0
    /// The samples from there on.
    public private(set) var samples: [Float] = []
    /// Rows of ``capacity`` powers, a band each; the first kept frame's at `start`.
    private var power: [Float] = []
    private var capacity = 0
    private var start = 0
    private var count = 0
    /// Up to two hundred samples before the first kept one, which its frames reach.
    private var before: [Float] = []

    public init(bands: Int) { mel = LogMel(bands: bands) }

    public var bands: Int { mel.bands }

    /// The frames that are kept and complete: nothing that is yet to come changes them.
    public var frames: Range<Int> { firstFrame..<firstFrame + count }

    /// Appends what came, and computes the frames that it completes.
    public mutating func append(_ new: some Collection<Float>) {
        samples.append(contentsOf: new)
        // Frame 0 reaches sample 200 by the reflection, one more than the others do.
        let end = (samples.count - LogMel.reach - 1) / LogMel.hop + 1
        guard samples.count > LogMel.reach, end > count else { return }
        makeRoom(for: end)
        let whole = max(count, min(end, Self.edgeFrames))
        let reached = edgeSamples(of: count..<whole)
        let (mel, count, capacity, at) = (mel, count, capacity, start)
        power.withUnsafeMutableBufferPointer { power in
            let out = power.baseAddress! + at
            if count < whole {
                _ = mel.melPower(reached, frames: whole - count, into: out + count, stride: capacity)
            }
            guard whole < end else { return }
            samples.withUnsafeBufferPointer { samples in
                let from = samples.baseAddress! + (whole * LogMel.hop - LogMel.reach)
                _ = mel.melPower(from, frames: end - whole, into: out + whole, stride: capacity)
            }
        }
        self.count = end
    }

    /// Lets the first `frames` kept frames go, and the samples before the next one's centre.
    public mutating func removeFirst(frames: Int) {
        precondition(
            frames >= 0 && frames * LogMel.hop <= samples.count, "\(frames) frames of \(samples.count) samples")
        let gone = frames * LogMel.hop
        before = Array((before + samples.prefix(gone)).suffix(LogMel.reach))
        samples.removeFirst(gone)
        firstFrame += frames
        start += min(frames, count)
        count = max(0, count - frames)
    }

    /// Kept frames, `[bands, range.count]`, as ``LogMel/spectrogram(_:)`` has them, but scaled by the greatest power among them.
    ///
    /// - Parameter range: within ``frames``.
    public func spectrogram(of range: Range<Int>) -> Tensor {
        precondition(range.isEmpty || range.clamped(to: frames) == range, "frames \(range) of \(frames)")
        var out = Tensor(uninitialized: [bands, range.count])
        guard !range.isEmpty else { return out }
        out.withUnsafeMutableBufferPointer { out in
            let out = out.baseAddress!
            let peak = copy(range.lowerBound - firstFrame, range.count, into: out, stride: range.count)
            mel.scale(out, count: bands * range.count, peak: peak)
        }
        return out
    }

    /// What is kept as one window, by itself: equal to ``LogMel/window(_:windowSamples:)`` of ``samples``, whose first and last
    /// frames see a reflection and silence where the sound went on or is to go on. All others are those computed as they came.
    public func window(windowSamples: Int) -> Tensor {
        precondition(windowSamples >= samples.count, "\(samples.count) samples in a window of \(windowSamples)")
        let total = windowSamples / LogMel.hop
        var out = Tensor(uninitialized: [bands, total])
        guard total > 0 else { return out }
        let computed = min(Self.edgeFrames, total)..<max(min(Self.edgeFrames, total), min(count, total))
        samples.withUnsafeBufferPointer { samples in
            out.withUnsafeMutableBufferPointer { out in
                let out = out.baseAddress!
                let signal = MelSignal(samples, length: windowSamples)
                var peak = mel.melPower(signal, frames: 0..<computed.lowerBound, into: out, stride: total)
                peak = max(
                    peak,
                    copy(computed.lowerBound, computed.count, into: out + computed.lowerBound, stride: total),
                    mel.melPower(
                        signal, frames: computed.upperBound..<total, into: out + computed.upperBound, stride: total))
                mel.scale(out, count: bands * total, peak: peak)
            }
        }
        return out
    }

    /// What is kept as the first `encoderFrames` frames of the encoder's in a window of any length, silence behind the samples:
    /// equal to ``LogMel/window(_:firstFrames:)`` of ``samples``.
    public func window(encoderFrames: Int) -> Tensor {
        let columns = 2 * encoderFrames
        // Two frames more lie in silence, whose reflection is silence.
        return window(windowSamples: (columns + 2) * LogMel.hop).prefix(columns, axis: 1)
    }

    /// Frames that reach a sample before the first.
    private static let edgeFrames = (LogMel.reach + LogMel.hop - 1) / LogMel.hop

    /// The samples that frames reach which reach some before the first kept one: those that were let go, or the reflection.
    private func edgeSamples(of frames: Range<Int>) -> [Float] {
        guard !frames.isEmpty else { return [] }
        let first = frames.lowerBound * LogMel.hop - LogMel.reach
        let end = (frames.upperBound - 1) * LogMel.hop + LogMel.reach
        return (first..<end).map { index in
            if index >= 0 { return samples[index] }
            return firstFrame > 0 ? before[before.count + index] : samples[-index]
        }
    }

    /// Copies powers of kept frames; returns the greatest.
    private func copy(_ frame: Int, _ count: Int, into out: UnsafeMutablePointer<Float>, stride: Int) -> Float {
        guard count > 0 else { return 0 }
        var peak: Float = 0
        power.withUnsafeBufferPointer { power in
            for band in 0..<bands {
                let from = power.baseAddress! + (band * capacity + start + frame), to = out + band * stride
                for i in 0..<count {
                    to[i] = from[i]
                    if peak < from[i] { peak = from[i] }
                }
            }
        }
        return peak
    }

    /// Makes sure that `frames` frames fit behind `start`, moving what is kept where they do not.
    private mutating func makeRoom(for frames: Int) {
        guard start + frames > capacity else { return }
        let room = max(2 * frames, 256)
        var moved = [Float](repeating: 0, count: bands * room)
        for band in 0..<bands {
            let kept = power[band * capacity + start..<band * capacity + start + count]
            moved.replaceSubrange(band * room..<band * room + count, with: kept)
        }
        (power, capacity, start) = (moved, room, 0)
    }
}
