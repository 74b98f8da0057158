import Kernels

/// The stretch of a recording that a window of a transcription has, in log-mel frames of 10 ms.
public struct WindowSpan: Sendable, Equatable {
    /// The first frame.
    public var seek: Int
    /// How many frames of the recording there are; the rest of the window is padding.
    public var frames: Int

    public init(seek: Int, frames: Int) { (self.seek, self.frames) = (seek, frames) }
}

/// The encoder's passes of a transcription. Whoever makes them may look inside, and is told what was written of each window.
///
/// All of it is called on the thread that transcribes.
public protocol TranscriptionPasses {
    /// The encoder's output for one window, `[n_audio_ctx, n_audio_state]`. Called once for each window, and where the language
    /// is to be told from something that is no window, before the first of them.
    /// - Parameters:
    ///   - mel: `[n_mels, 2 × n_audio_ctx]`, padding included.
    ///   - span: nil where it is for telling the language alone.
    func encode(_ mel: Tensor, _ span: WindowSpan?) throws -> Tensor
    /// What the transcript took from the window that was encoded last.
    /// - Parameters:
    ///   - tokens: what was written, timestamps among it, up to where the next window goes on; empty where the window is silent.
    ///   - prompt: what the decoder had read before: earlier text, and the start tokens.
    func wrote(_ tokens: [Int], after prompt: [Int]) throws
}

/// Passes that nobody looks into.
struct PlainPasses: TranscriptionPasses {
    let model: any SpeechModel

    func encode(_ mel: Tensor, _ span: WindowSpan?) throws -> Tensor { try model.encode(mel) }
    func wrote(_ tokens: [Int], after prompt: [Int]) {}
}
