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
    /// What the encoder is given of the frames `start ..< start + count`, filled up to `length` frames: `[bands, length]`.
    func window(from start: Int, count: Int, paddedTo length: Int) throws -> Tensor
}

extension MelSource {
    /// Zeros behind the log-mel, as openai/whisper's `transcribe` has them (`pad_or_trim` of the spectrogram).
    public func window(from start: Int, count: Int, paddedTo length: Int) throws -> Tensor {
        try window(from: start, count: count).padded(columns: length)
    }
}
