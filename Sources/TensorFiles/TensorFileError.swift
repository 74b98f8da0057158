/// What is wrong with a file of tensors: a kind that a program can act on and a sentence that a person can.
///
/// The sentence names the file, what was expected and what came. The layers above pass these errors on unchanged.
public struct TensorFileError: Error, Sendable, CustomStringConvertible {
    /// The kinds are an open set: a reader that meets an unknown one treats it as any other failure.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The caller asked for something that makes no sense: a name twice, bytes that do not fit their shape.
        public static let invalidArgument = Code(rawValue: "invalid_argument")
        /// A file, or a tensor in it, that is not there.
        public static let notFound = Code(rawValue: "not_found")
        /// A file that is there, but damaged or not what it says it is.
        public static let dataLoss = Code(rawValue: "data_loss")
        /// Well formed, but nothing that is read here: an unknown type, a compressed entry.
        public static let unsupported = Code(rawValue: "unsupported")
        /// The system refused: no permission, no memory.
        public static let unavailable = Code(rawValue: "unavailable")
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
