/// What went wrong in this layer: a kind that a program can act on and a sentence that a person can.
///
/// The sentence names the thing, what was expected and what came.
public struct WhisperError: Error, Sendable, CustomStringConvertible {
    /// The kinds are an open set: a reader that meets an unknown one treats it as any other failure.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The caller asked for something that makes no sense: an unknown hook, a negative range.
        public static let invalidArgument = Code(rawValue: "invalid_argument")
        /// A file or a name that is not there.
        public static let notFound = Code(rawValue: "not_found")
        /// A file that is there, but damaged or not what it says it is.
        public static let dataLoss = Code(rawValue: "data_loss")
        /// Well formed, but nothing that this engine can do: an unknown format, type or architecture.
        public static let unsupported = Code(rawValue: "unsupported")
        /// The system refused: no permission, no space, no memory.
        public static let unavailable = Code(rawValue: "unavailable")
        /// The work was stopped on request.
        public static let cancelled = Code(rawValue: "cancelled")
    }

    public let code: Code
    public let message: String
    public let cause: (any Error)?

    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    public var description: String { cause.map { "\(message): \($0)" } ?? message }
}
