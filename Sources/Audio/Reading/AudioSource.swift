/// Where a recording comes from.
public enum AudioSource: Sendable, Hashable, CustomStringConvertible {
    /// A file in any format that libsndfile reads.
    case file(String)
    /// Raw samples, 16 kHz mono signed 16-bit little-endian, read to the end of the descriptor, which stays open.
    /// `name` is for messages.
    case raw(descriptor: Int32, name: String)
    /// A whole file in memory, in any format that libsndfile reads. `name` is for messages.
    case bytes([UInt8], name: String)

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
        case .raw(_, let name), .bytes(_, let name): name
        }
    }
}
