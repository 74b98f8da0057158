/// How a call failed, in gRPC's terms.
package struct CallFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// gRPC's, 1 to 16; any other number counts as UNKNOWN (2).
    package let code: Int
    package let message: String
    /// The server's finer word for it (ErrorDetail.reason), where it gave one.
    package let reason: String?

    package init(code: Int, message: String, reason: String? = nil) {
        self.code = (1...16).contains(code) ? code : 2
        self.message = message
        self.reason = reason
    }

    /// "NOT_FOUND".
    package var name: String { Self.names[code - 1] }
    package var description: String { "\(name): \(message)" }

    private static let names = [
        "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
        "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
        "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
    ]
}

/// A client of a server that carries messages as the bytes that they are.
///
/// Errors that are no ``CallFailure`` count as UNKNOWN, with their description.
package protocol BridgeTransport: Sendable {
    /// One message in, one out. A cancelled task gives the call up.
    func unary(service: String, method: String, request: [UInt8]) async throws -> [UInt8]

    /// Opens a call in which either side streams.
    /// - Parameter request: the only message where the client does not stream, and nil where it does.
    func open(service: String, method: String, request: [UInt8]?) async throws -> BridgeStream
}

/// An open call. Its closures may be called from any thread, `send` and `closeSend` one at a time.
package struct BridgeStream: Sendable {
    /// Sends a message; only where the client streams. Waits while the server is slow. Where it throws, the call is
    /// over: `messages` then ends as well, with the server's own error where it gave one.
    package let send: @Sendable ([UInt8]) async throws -> Void
    /// Says that no message follows.
    package let closeSend: @Sendable () async throws -> Void
    /// What the server sends, up to the end or a ``CallFailure``. It is read once.
    package let messages: any AsyncSequence<[UInt8], any Error> & Sendable
    /// Gives the call up; nothing where it has ended.
    package let cancel: @Sendable () async -> Void

    package init(
        send: @escaping @Sendable ([UInt8]) async throws -> Void,
        closeSend: @escaping @Sendable () async throws -> Void,
        messages: any AsyncSequence<[UInt8], any Error> & Sendable, cancel: @escaping @Sendable () async -> Void
    ) {
        self.send = send
        self.closeSend = closeSend
        self.messages = messages
        self.cancel = cancel
    }
}
