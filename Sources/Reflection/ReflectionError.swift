import Files

/// What went wrong with a name, a message or a descriptor, in a sentence.
package struct ReflectionError: CodedError, Equatable {
    package let code: ErrorCode
    package let message: String

    package init(_ code: ErrorCode, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
