/// What went wrong with a recording: a kind that a program can act on and a sentence that a person can.
///
/// The sentence names the recording, what was expected and what came.
public struct AudioError: Error, Sendable, CustomStringConvertible {
    /// The kinds are an open set: a reader that meets an unknown one treats it as any other failure.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The caller asked for something that makes no sense: a crop past the end, a negative time.
        public static let invalidArgument = Code(rawValue: "invalid_argument")
        /// A file that is not there.
        public static let notFound = Code(rawValue: "not_found")
        /// A file that is there, but damaged: cut short, without samples, with samples that are no numbers.
        public static let dataLoss = Code(rawValue: "data_loss")
        /// Not audio, or audio of a kind that nothing here reads.
        public static let unsupported = Code(rawValue: "unsupported")
        /// The system refused: no permission, no space, no memory.
        public static let unavailable = Code(rawValue: "unavailable")
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
