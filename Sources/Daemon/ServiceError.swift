/// What went wrong in a service: a kind that a program can act on and a sentence that a person can.
///
/// The sentence names the thing, what was expected and what came. Errors of the layers below
/// (``Whisper/WhisperError``, ``TensorFiles/TensorFileError``, ``Audio/AudioError``, ``Files/FileError``) pass through a service unchanged.
public struct ServiceError: Error, Sendable, CustomStringConvertible {
    /// The kinds are an open set: a reader that meets an unknown one treats it as any other failure.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The caller asked for something that makes no sense: a negative range, an impossible name.
        public static let invalidArgument = Code(rawValue: "invalid_argument")
        /// A file, a clip or a model that is not there.
        public static let notFound = Code(rawValue: "not_found")
        /// A file that is there, but damaged or not what it says it is.
        public static let dataLoss = Code(rawValue: "data_loss")
        /// Another machine or another process stands in the way: no connection, a lock that is held.
        public static let unavailable = Code(rawValue: "unavailable")
        /// A result has nowhere to go: no such folder, no permission.
        public static let cannotCreate = Code(rawValue: "cannot_create")
        /// The system failed to read or write: a full disk, a broken device.
        public static let inputOutput = Code(rawValue: "input_output")
        /// The work was stopped on request.
        public static let cancelled = Code(rawValue: "cancelled")
        /// Too much is under way already; the same call may succeed later.
        public static let resourceExhausted = Code(rawValue: "resource_exhausted")
        /// The caller's deadline passed before the work was done.
        public static let deadlineExceeded = Code(rawValue: "deadline_exceeded")
        /// The call makes sense, but not in the state that things are in: a result that is not there yet.
        public static let failedPrecondition = Code(rawValue: "failed_precondition")
        /// What was handed in does not belong together, or not to what it is used with: the states of two plugins,
        /// recordings without the labels that are needed. On the wire, FAILED_PRECONDITION with this reason.
        public static let mismatch = Code(rawValue: "mismatch")
        /// The caller may not do this.
        public static let permissionDenied = Code(rawValue: "permission_denied")
        /// Nothing here does this.
        public static let unimplemented = Code(rawValue: "unimplemented")
        /// There is one of that name already.
        public static let alreadyExists = Code(rawValue: "already_exists")
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
