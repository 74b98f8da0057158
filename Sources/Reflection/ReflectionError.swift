/// What went wrong with a name, a message or a descriptor, in a sentence.
package struct ReflectionError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds, called as in the layers below.
    package enum Code: String, Sendable {
        /// JSON that does not fit its message: an unknown member, a value out of range.
        case invalidArgument = "invalid_argument"
        /// A service, method or type that the server does not have.
        case notFound = "not_found"
        /// Bytes that are no message of their type, or no descriptor.
        case dataLoss = "data_loss"
        /// A protobuf feature that is not read here: groups, editions.
        case unsupported = "unsupported"
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
