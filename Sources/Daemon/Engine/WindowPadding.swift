/// What a window is filled with where the recording ends before it.
///
/// The two differ where there is sound too: on frames that overlap audio the encoder's outputs of a short recording are some tenths apart
/// (relative L2), because frames attend to the padding, and so now and then a text is another.
public enum WindowPadding: String, Sendable, Codable, CaseIterable {
    /// Zeros behind the samples, of which the log-mel is then made, a window at a time: `pad_or_trim(audio)`, as in
    /// openai/whisper's examples.
    case sound
    /// Zeros behind the log-mel, which is made of the whole recording: as openai/whisper's `transcribe()`.
    case mel
}
