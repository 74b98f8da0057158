import Files

/// What went wrong in a service: a kind that a program can act on and a sentence that a person can.
///
/// The sentence names the thing, what was expected and what came. Errors of the layers below
/// (``Whisper/WhisperError``, ``TensorFiles/TensorFileError``, ``Audio/AudioError``, ``Files/FileError``) pass through a service unchanged.
public struct ServiceError: CodedError {
    public let code: ErrorCode
    public let message: String

    public init(_ code: ErrorCode, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
