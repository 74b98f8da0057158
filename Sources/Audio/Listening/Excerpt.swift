import Glibc

/// A part of a recording, made to be listened to: a moment brought out, louder or softer, never beyond full scale.
public struct Excerpt: Sendable {
    /// 16 kHz mono.
    public var samples: [Float]
    /// Which samples of the recording these are.
    public var range: Range<Int>
    /// The moment's window as far as the recording has it; nil without a moment.
    public var window: Range<Int>?
    /// What the limiter turned the sound down to where most was needed; 1 where nothing was.
    public var limited: Float

    /// The largest sample.
    public var peak: Float { samples.reduce(0) { max($0, abs($1)) } }

    /// Longer ones do not fit into a message.
    public static let greatestSeconds = 120.0

    /// - Parameters:
    ///   - recording: what the excerpt is a part of.
    ///   - name: the recording's, for messages.
    ///   - seconds: the part, half open; nil for all. It may reach beyond the end, but must not start there.
    ///   - gainDecibels: makes all of it louder or softer.
    /// - Throws: ``AudioError`` (`invalidArgument`) for a part that is not in the recording or too long, and for a
    ///   moment that is not in the part; what ``SampleBuffer/read(_:)`` throws.
    public init(
        of recording: SampleBuffer, name: String, seconds: Range<Double>? = nil, moment: Moment? = nil,
        gainDecibels: Double = 0
    ) throws {
        guard (-60...60).contains(gainDecibels) else {
            throw AudioError(
                .invalidArgument, "\(name): cannot be made \(gainDecibels) dB louder; expected −60 to 60")
        }
        range = try Self.range(seconds, of: recording, name)
        if let moment {
            let window = moment.window.clamped(to: 0..<recording.count)
            guard !window.isEmpty else {
                throw AudioError(
                    .invalidArgument,
                    """
                    \(name): has no moment at samples \(moment.window.lowerBound) to \(moment.window.upperBound); the \
                    recording has \(recording.count) (\(recording.duration) s)
                    """)
            }
            guard window.overlaps(range) else {
                throw AudioError(
                    .invalidArgument,
                    """
                    \(name): the moment at samples \(window.lowerBound) to \(window.upperBound) is not in the part from \
                    \(range.lowerBound) to \(range.upperBound)
                    """)
            }
            self.window = window
        }
        samples = try recording.read(range)
        moment?.apply(to: &samples, first: range.lowerBound)
        if gainDecibels != 0 {
            let gain = Float(pow(10, gainDecibels / 20))
            for index in samples.indices { samples[index] *= gain }
        }
        limited = Limiter().apply(to: &samples)
    }

    private static func range(
        _ seconds: Range<Double>?, of recording: SampleBuffer, _ name: String
    ) throws -> Range<Int> {
        var range = 0..<recording.count
        if let seconds {
            guard seconds.lowerBound.isFinite, seconds.lowerBound >= 0, seconds.lowerBound < recording.duration else {
                throw AudioError(
                    .invalidArgument,
                    "\(name): cannot start at \(seconds.lowerBound) s; the recording ends at \(recording.duration) s")
            }
            let sample = { (time: Double) in
                Int(min((time * Double(SampleBuffer.sampleRate)).rounded(), Double(recording.count)))
            }
            range = sample(seconds.lowerBound)..<sample(seconds.upperBound)
        }
        guard !range.isEmpty else {
            throw AudioError(.invalidArgument, "\(name): the part has no sample; expected at least one")
        }
        guard Double(range.count) <= greatestSeconds * Double(SampleBuffer.sampleRate) else {
            throw AudioError(
                .invalidArgument,
                """
                \(name): the part lasts \(Double(range.count) / Double(SampleBuffer.sampleRate)) s; expected at most \
                \(greatestSeconds) s
                """)
        }
        return range
    }
}
