import Kernels

/// The log-mel of a whole recording, of any length, handed out a window at a time.
///
/// As in openai/whisper's `transcribe`, the recording is followed by 30 s of digital silence, and
/// the scale's maximum is taken over all of it.
public protocol MelSource {
    /// Mel bands.
    var bands: Int { get }
    /// Frames (10 ms) of the recording itself, without the silence appended.
    var contentFrames: Int { get }
    /// Frames `start ..< start + count`, `[bands, count]`; past the end of the appended silence the frames are those of silence.
    func window(from start: Int, count: Int) throws -> Tensor
}
