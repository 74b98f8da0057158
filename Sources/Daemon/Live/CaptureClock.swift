import Audio
import Foundation
import Synchronization

/// When samples were captured, by the system's clock: what came with the sound, kept for the newest minutes of it.
final class CaptureClock: Sendable {
    private struct Anchor {
        let sample: Int
        /// Nanoseconds since 1970.
        let time: Int64
    }
    private static let most = 4096
    private static let nanosecondsPerSample = Int64(1_000_000_000 / SampleBuffer.sampleRate)
    private let anchors = Mutex<[Anchor]>([])

    /// Nanoseconds since 1970.
    static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Sample number `sample` was captured at `time`; those after it, until the next anchor, at their pace.
    func set(_ sample: Int, at time: Int64) {
        anchors.withLock { anchors in
            anchors.append(Anchor(sample: sample, time: time))
            if anchors.count > Self.most { anchors.removeFirst(Self.most / 2) }
        }
    }

    /// Samples that end now.
    func arrived(_ sample: Int, count: Int) { set(sample, at: Self.now &- Int64(count) &* Self.nanosecondsPerSample) }

    /// When the sound at `seconds` from the first sample was captured; nil where that is not known (any more).
    func time(of seconds: Double) -> Int64? {
        let sample = Int((seconds * Double(SampleBuffer.sampleRate)).rounded())
        return anchors.withLock { anchors in
            // The end of a piece belongs to it, not to what follows, before which some may be lost.
            guard
                let anchor = anchors.last(where: { $0.sample < sample })
                    ?? anchors.first(where: { $0.sample == sample })
            else { return nil }
            return anchor.time &+ Int64(sample - anchor.sample) &* Self.nanosecondsPerSample
        }
    }
}
