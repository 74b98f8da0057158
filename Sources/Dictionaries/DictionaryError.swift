/// Why a dictionary could not be read, written or used: a kind that a program can act on and a sentence that a person can.
public struct DictionaryError: Error, Sendable, CustomStringConvertible {
    /// The kinds are an open set: a reader that meets an unknown one treats it as any other failure.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The caller asked for something that makes no sense: activations of another width, a latent that is not there.
        public static let invalidArgument = Code(rawValue: "invalid_argument")
        /// There is no dictionary where it was looked for.
        public static let notFound = Code(rawValue: "not_found")
        /// Files that contradict themselves or one another.
        public static let dataLoss = Code(rawValue: "data_loss")
        /// Well formed, but of an architecture that is not known here.
        public static let unsupported = Code(rawValue: "unsupported")
    }

    public let code: Code
    /// Names the thing, what was expected and what came.
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
