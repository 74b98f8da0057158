import Glibc

/// A moment of a recording that is to be heard among its surroundings.
///
/// The window is heard as it is; what lies around it is *ducked*, turned down, so that nothing has to be turned up
/// beyond full scale; and a raised cosine leads from one to the other on each side, outside of the window, so that
/// neither edge clicks. Multiplying a window by ten, hard-edged, clips nearly every recording of ordinary loudness.
public struct Moment: Sendable, Hashable {
    /// The first sample of the window; may lie before the recording's start.
    public let start: Int
    /// Samples of the window.
    public let count: Int
    /// Samples of each edge.
    public let edge: Int
    /// What the surroundings are multiplied with, 0 to 1.
    public let surroundings: Float

    /// The window that ``init(frame:windowSamples:edgeMilliseconds:surroundingsDecibels:)`` takes by default: 62.5 ms.
    public static let windowSamples = 1000
    public static let edgeMilliseconds = 8.0
    public static let surroundingsDecibels = -20.0

    /// The moment at an encoder frame: the samples `[320·frame − window/2, 320·frame − window/2 + window)`.
    /// - Throws: ``AudioError`` (`invalidArgument`) for a value that is out of its range.
    public init(
        frame: Int, windowSamples: Int = windowSamples, edgeMilliseconds: Double = edgeMilliseconds,
        surroundingsDecibels: Double = surroundingsDecibels
    ) throws {
        let lastFrame = 1 << 40
        guard (0...lastFrame).contains(frame) else {
            throw AudioError(.invalidArgument, "there is no moment at frame \(frame); expected 0 to \(lastFrame)")
        }
        guard (1...480_000).contains(windowSamples) else {
            throw AudioError(
                .invalidArgument, "a moment's window cannot have \(windowSamples) samples; expected 1 to 480000 (30 s)")
        }
        guard edgeMilliseconds > 0, edgeMilliseconds <= 1000 else {
            throw AudioError(
                .invalidArgument,
                "a moment's edges cannot last \(edgeMilliseconds) ms; expected more than 0 and at most 1000")
        }
        guard (-120...0).contains(surroundingsDecibels) else {
            throw AudioError(
                .invalidArgument,
                "a moment's surroundings cannot have a level of \(surroundingsDecibels) dB; expected −120 to 0")
        }
        start = EncoderFrames.samples * frame - windowSamples / 2
        count = windowSamples
        edge = max(1, Int((edgeMilliseconds * Double(SampleBuffer.sampleRate) / 1000).rounded()))
        surroundings = Float(pow(10, surroundingsDecibels / 20))
    }

    /// The window's samples.
    public var window: Range<Int> { start..<start + count }

    /// What the sample `index` of the recording is multiplied with.
    ///
    /// At a distance of d samples from the window, 0 < d ≤ edge, s + (1 − s)·(1 + cos(π d/(edge + 1)))/2: no two
    /// neighbours differ by more than (1 − s)·π/(2·(edge + 1)).
    public func gain(at index: Int) -> Float {
        if window.contains(index) { return 1 }
        let distance = index < start ? start - index : index - (start + count) + 1
        guard distance <= edge else { return surroundings }
        let fall = (1 + cos(Float.pi * Float(distance) / Float(edge + 1))) / 2
        return surroundings + (1 - surroundings) * fall
    }

    /// Multiplies samples that begin at sample `first` of the recording.
    public func apply(to samples: inout [Float], first: Int = 0) {
        for index in samples.indices {
            let gain = gain(at: first + index)
            if gain != 1 { samples[index] *= gain }
        }
    }
}
