import Audio
import Kernels
import Mel
import Synchronization
import Whisper

/// Sound on its way through short contexts that roll along with it (``RollingContext``): what whoever hears it so has in common.
struct RollingSound {
    private(set) var context: RollingContext
    /// From the context's beginning on.
    private(set) var mel: StreamingMel
    /// Frames from the first sample here that are settled.
    private(set) var settled = 0
    private var voice = VoiceActivity()
    /// The last frames in which somebody may have spoken, from the context's beginning on.
    private var active: [Bool] = []
    /// Samples before the first one here.
    private let origin: Int

    /// - Parameters:
    ///   - frames: of a whole context, a multiple of 4.
    ///   - bands: of the log-mel.
    ///   - origin: samples before the first one here.
    init(frames: Int, bands: Int, origin: Int) {
        context = RollingContext(length: frames)
        mel = StreamingMel(bands: bands)
        self.origin = origin
    }

    /// Samples of the context that are there.
    var samples: Int { mel.samples.count }
    /// Frames of it.
    var frames: Int { EncoderFrames.valid(sampleCount: samples) }
    /// Samples that are missing for a whole context.
    var room: Int { wholeSamples - samples }
    var isWhole: Bool { room <= 0 }
    /// Frames before the first one here.
    var firstFrame: Int { origin / EncoderFrames.samples }
    /// Whether somebody may have spoken in it.
    var hasVoice: Bool { active.contains(true) }
    private var wholeSamples: Int { context.length * EncoderFrames.samples }

    mutating func hear(_ new: ArraySlice<Int16>) {
        for start in stride(from: new.startIndex, to: new.endIndex, by: EncoderFrames.samples) {
            let end = min(start + EncoderFrames.samples, new.endIndex)
            active.append(voice.isActive(new[start..<end]))
        }
        mel.append(new.lazy.map { Float($0) / 32768 })
    }

    /// Goes on to the next context.
    mutating func advance() {
        mel.removeFirst(frames: context.stride * EncoderFrames.samples / LogMel.hop)
        active.removeFirst(context.stride)
        context.advance()
    }

    /// - Returns: whether anything settled.
    @discardableResult
    mutating func settle(before end: Int) -> Bool {
        guard end > settled else { return false }
        settled = end
        return true
    }

    /// Where more than two contexts of sound are there, all but the newest are given up.
    /// - Returns: what is still to be heard of `new`, and the frames that nobody heard.
    mutating func passOver(_ new: ArraySlice<Int16>) -> (rest: ArraySlice<Int16>, unheard: Range<Int>?) {
        var new = new
        guard samples + new.count > 2 * wholeSamples else { return (new, nil) }
        let first = settled
        while samples + new.count > wholeSamples {
            let some = room
            hear(new.prefix(some))
            new = new.dropFirst(some)
            settle(before: context.settledEnd)
            advance()
        }
        return (new, first..<settled)
    }

    /// The encoder's input for a pass over what is there.
    func window(_ dimensions: ModelDimensions) -> Tensor {
        mel.window(encoderFrames: EncoderContext.auto.frames(valid: frames, dimensions))
    }

    /// When a frame begins, in seconds from the first sample of all.
    func seconds(_ frame: Int) -> Double {
        Double(origin + frame * EncoderFrames.samples) / Double(SampleBuffer.sampleRate)
    }

    /// The same, and no later than the sound's end.
    func secondsHeard(_ frame: Int) -> Double {
        let end = origin + context.start * EncoderFrames.samples + samples
        return min(seconds(frame), Double(end) / Double(SampleBuffer.sampleRate))
    }
}

/// Samples that came and were not heard yet. Any thread may append.
final class LiveInbox: Sendable {
    private let waiting = Mutex<[Int16]>([])

    var count: Int { waiting.withLock(\.count) }

    func append(_ samples: [Int16]) { waiting.withLock { $0 += samples } }

    /// Takes all that is there, or all whole frames of it.
    func take(wholeFrames: Bool) -> ArraySlice<Int16> {
        waiting.withLock { waiting in
            let count =
                wholeFrames ? waiting.count / EncoderFrames.samples * EncoderFrames.samples : waiting.count
            defer { waiting.removeFirst(count) }
            return waiting.prefix(count)
        }
    }
}
