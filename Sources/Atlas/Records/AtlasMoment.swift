/// Something at a position of a recording: an example of a feature, or of a bin.
public protocol AtlasMoment {
    /// The position, from the start of the recording's part: an encoder frame, a log-mel frame, or a token.
    var frame: Int { get }
    /// The position's middle, from the beginning of the recording's file; nil for a token.
    var seconds: Double? { get }
}

extension AtlasExample: AtlasMoment {}
extension AtlasBinExample: AtlasMoment {}

extension AtlasMoment {
    /// Positions in a second: 50 for encoder frames, 100 for log-mel frames; nil for tokens.
    ///
    /// An atlas does not say, but it follows from where the position is: its middle is (frame + ½)/rate after the start.
    public func rate(in recording: AtlasRecording) -> Double? {
        guard let seconds else { return nil }
        let elapsed = seconds - (recording.start ?? 0)
        return elapsed > 0 && (Double(frame) + 0.5) / elapsed > 70 ? 100 : 50
    }

    /// The encoder frame that it is in, from the start of the recording's part; nil for tokens.
    public func encoderFrame(in recording: AtlasRecording) -> Int? {
        rate(in: recording).map { $0 == 100 ? frame / 2 : frame }
    }
}
