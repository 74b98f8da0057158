/// Where a recording comes from.
public enum AudioSource: Sendable, Hashable, CustomStringConvertible {
    /// A file in any format that libsndfile or ffmpeg reads.
    case file(String)
    /// A whole file in memory, in any such format. `name` is for messages.
    case bytes([UInt8], name: String)
    /// Bytes that are a sound file, or else raw samples, 16 kHz mono signed 16-bit little-endian. `name` is for messages.
    case unknown([UInt8], name: String)
    /// Raw samples in memory, 16 kHz mono signed 16-bit little-endian. `name` is for messages.
    case pcm([UInt8], name: String)
    /// A file that holds what somebody sent. `name` is for messages, which do not speak of the path.
    case spooled(path: String, encoding: Encoding, name: String)

    /// What a spooled file holds.
    public enum Encoding: Sendable, Hashable {
        /// Raw samples, 16 kHz mono signed 16-bit little-endian.
        case s16le
        /// Raw samples, 16 kHz mono float32 little-endian, full scale ±1.
        case f32le
        /// A sound file in any format that libsndfile or ffmpeg reads.
        case file
        /// A sound file where it can be opened as one, else raw samples as in ``s16le``.
        case unknown
    }

    /// The recording's name, for messages.
    public var description: String {
        switch self {
        case .file(let path): path
        case .bytes(_, let name), .unknown(_, let name), .pcm(_, let name), .spooled(_, _, let name): name
        }
    }
}
