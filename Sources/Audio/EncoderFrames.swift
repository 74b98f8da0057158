/// Where the encoder's frames lie in a recording.
///
/// The second convolution has stride 2, so a frame of the encoder is two of the log-mel, 20 ms: frame i stands for the
/// samples `320·i ..< 320·(i + 1)`, though it sees more on both sides.
public enum EncoderFrames {
    /// Samples of a frame: two hops of 10 ms.
    public static let samples = 2 * SampleBuffer.sampleRate / 100
    /// Frames in a second.
    public static let rate = SampleBuffer.sampleRate / samples

    /// Frames that stand for at least one of `sampleCount` samples, ⌈sampleCount/320⌉; the rest of a window is padding.
    public static func valid(sampleCount: Int) -> Int {
        precondition(sampleCount >= 0, "\(sampleCount) samples")
        return sampleCount / samples + (sampleCount % samples == 0 ? 0 : 1)
    }

    /// The samples that `frame` stands for.
    public static func sampleRange(of frame: Int) -> Range<Int> { frame * samples..<(frame + 1) * samples }
}
