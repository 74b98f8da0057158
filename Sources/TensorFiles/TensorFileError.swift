import Files

/// What is wrong with a file of tensors: a kind that a program can act on and a sentence that a person can.
///
/// The sentence names the file, what was expected and what came. The layers above pass these errors on unchanged.
public struct TensorFileError: CodedError {
    public let code: ErrorCode
    public let message: String

    public init(_ code: ErrorCode, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
