import Files

/// What went wrong in this layer: a kind that a program can act on and a sentence that a person can.
///
/// The sentence names the thing, what was expected and what came.
public struct WhisperError: CodedError {
    public let code: ErrorCode
    public let message: String
    public let cause: (any Error)?

    public init(_ code: ErrorCode, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    public var description: String { cause.map { "\(message): \($0)" } ?? message }
}
