import Messages
import NIOCore

/// The messages of a server, as they come. One task reads them.
///
/// Leaving the loop early only stops listening: `V1.DaemonRPC.cancel` with the stream's subscription id, or closing the
/// connection, stops the work.
public struct AnswerStream<Message: ProtoMessage>: AsyncSequence, Sendable {
    private let call: OpenBytesCall

    init(_ call: OpenBytesCall) { self.call = call }

    public struct AsyncIterator: AsyncIteratorProtocol {
        let call: OpenBytesCall

        /// - Throws: the ``WireError`` that the call ended with.
        public mutating func next() async throws -> Message? { try await call.next().map { try Message($0) } }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(call: call) }
}

/// A call that streams messages to the server.
public struct OpenCall<Request: ProtoMessage, Response: ProtoMessage>: Sendable {
    private let call: OpenBytesCall

    init(_ call: OpenBytesCall) { self.call = call }

    /// Waits until there is room for the message.
    public func send(_ message: Request) async throws { try await call.send(message.serialized()) }

    /// No more messages follow.
    public func finish() async throws { try await call.finish() }

    /// What the server answers.
    public var answers: AnswerStream<Response> { AnswerStream(call) }

    /// The one answer of a method that streams only to the server.
    public func answer() async throws -> Response {
        guard let answer = try await call.next() else { throw WireError(.internal, "the call gave no answer") }
        return try Response(answer)
    }
}

/// A streaming call whose messages are bytes.
public final class OpenBytesCall: Sendable {
    private let call: ClientCall

    init(_ call: ClientCall) { self.call = call }

    // What came and was not read is let go too.
    deinit { abandon() }

    /// Waits until there is room for the message.
    /// - Throws: the ``WireError`` that the call has ended with.
    public func send(_ message: [UInt8]) async throws { try await call.client.send(message, on: call) }

    /// No more messages follow.
    public func finish() async throws { try await call.client.send(nil, on: call) }

    /// The server's next message; nil after the last.
    public func next() async throws -> ByteBuffer? { try await call.inbound.next() }

    /// Gives the call up here. Cancel tells the server.
    public func abandon() {
        call.fail(WireError(.cancelled, "the call was given up", reason: "cancelled"))
    }
}
