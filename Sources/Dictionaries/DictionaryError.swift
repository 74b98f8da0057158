import Files

/// Why a dictionary could not be read, written or used: a kind that a program can act on and a sentence that a person can.
public struct DictionaryError: CodedError {
    public let code: ErrorCode
    /// Names the thing, what was expected and what came.
    public let message: String

    public init(_ code: ErrorCode, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
