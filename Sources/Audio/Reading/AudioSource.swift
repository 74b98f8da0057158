/// Where a recording comes from.
public enum AudioSource: Sendable, Hashable, CustomStringConvertible {
    /// A file in any format that libsndfile reads.
    case file(String)
    /// Raw samples, 16 kHz mono signed 16-bit little-endian, read to the end of the descriptor, which stays open.
    /// `name` is for messages.
    case raw(descriptor: Int32, name: String)
    /// A whole file in memory, in any format that libsndfile reads. `name` is for messages.
    case bytes([UInt8], name: String)
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
        /// A sound file in any format that libsndfile reads.
        case file
    }

    /// Raw samples on standard input.
    public static let standardInput = AudioSource.raw(descriptor: 0, name: "standard input")

    /// What a command line means: `-` is standard input, anything else a file.
    public init(argument: String) {
        self = argument == "-" ? .standardInput : .file(argument)
    }

    /// The recording's name, for messages.
    public var description: String {
        switch self {
        case .file(let path): path
        case .raw(_, let name), .bytes(_, let name), .pcm(_, let name), .spooled(_, _, let name): name
        }
    }
}
