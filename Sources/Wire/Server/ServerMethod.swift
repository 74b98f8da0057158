import Messages

/// A method and what answers it.
///
/// It runs on the thread that reads the connection until it first waits for something, so that an answer out of memory wakes nobody; what
/// takes long, or may block, belongs to another thread from its beginning.
public struct ServerMethod: Sendable {
    public let service: String
    public let name: String
    let kind: RPCKind
    /// Whether it answers while the server drains.
    var servesWhileDraining = false
    /// Whether it is a subscription that ends as soon as the server drains, because it would never end by itself.
    var endsWhenDraining = false
    let run: @Sendable (ServerCall) async throws -> Void

    /// The same, answering also while the server takes no other calls.
    public func alsoWhileDraining() -> ServerMethod {
        var copy = self
        copy.servesWhileDraining = true
        return copy
    }

    /// The same, ended as soon as the server drains.
    public func untilDraining() -> ServerMethod {
        var copy = self
        copy.endsWhenDraining = true
        return copy
    }
}

extension RPC {
    /// Answers a unary call.
    public func handle(_ body: @escaping @Sendable (Request, CallContext) async throws -> Response) -> ServerMethod {
        precondition(kind == .unary, "\(service)/\(method) streams")
        return ServerMethod(service: service, name: method, kind: kind) { call in
            let answer = try await body(call.onlyRequest(), CallContext(call))
            try await call.respond(answer)
        }
    }

    /// Answers one request with a stream.
    public func handle(
        _ body: @escaping @Sendable (Request, ResponseStream<Response>, CallContext) async throws -> Void
    ) -> ServerMethod {
        precondition(kind == .serverStream, "\(service)/\(method) is no server stream")
        return ServerMethod(service: service, name: method, kind: kind) { call in
            try await body(call.onlyRequest(), ResponseStream(call), CallContext(call))
            call.endStream()
        }
    }

    /// Answers a stream of requests with one message.
    public func collect(
        _ body: @escaping @Sendable (RequestStream<Request>, CallContext) async throws -> Response
    ) -> ServerMethod {
        precondition(kind == .clientStream, "\(service)/\(method) is no client stream")
        return ServerMethod(service: service, name: method, kind: kind) { call in
            let answer = try await body(RequestStream(call.inbound), CallContext(call))
            try await call.respond(answer)
        }
    }

    /// Both sides stream.
    public func handle(
        _ body: @escaping @Sendable (RequestStream<Request>, ResponseStream<Response>, CallContext) async throws -> Void
    ) -> ServerMethod {
        precondition(kind == .bidirectional, "\(service)/\(method) is not bidirectional")
        return ServerMethod(service: service, name: method, kind: kind) { call in
            try await body(RequestStream(call.inbound), ResponseStream(call), CallContext(call))
            call.endStream()
        }
    }
}

/// The messages that a client streams. One task reads them.
public struct RequestStream<Message: ProtoMessage>: AsyncSequence, Sendable {
    private let queue: InboundQueue

    init(_ queue: InboundQueue) { self.queue = queue }

    public struct AsyncIterator: AsyncIteratorProtocol, Sendable {
        let queue: InboundQueue

        /// - Throws: ``WireError`` for bytes that are no message, and where the connection is lost.
        public mutating func next() async throws -> Message? { try await queue.next().map { try Message($0) } }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(queue: queue) }
}

/// Where a method's answers go, in order. Each waits until there is room for it on the connection.
public struct ResponseStream<Message: ProtoMessage>: Sendable {
    private let call: ServerCall

    init(_ call: ServerCall) { self.call = call }

    /// - Throws: ``WireError`` where the call has ended or the connection is lost.
    public func send(_ message: Message) async throws { try await call.send(message) }

    /// The same, waiting until fewer than `limit` bytes are on their way: for events that should not be old when they
    /// are read.
    public func send(_ message: Message, whenBelow limit: Int) async throws {
        try await call.send(message, limit: limit)
    }

    /// The same for a thread that may block, as those of the engine may.
    public func sendBlocking(_ message: Message) throws { try call.sendBlocking(message) }

    /// Whether a message of so many bytes would go out without waiting.
    public func hasRoom(for size: Int) -> Bool { call.connection.gate.hasRoom(for: size) }
}

/// Who called and under which conditions.
public struct CallContext: Sendable {
    private let call: ServerCall

    init(_ call: ServerCall) { self.call = call }

    public var connection: UInt64 { call.connection.id }
    public var peer: Peer { call.connection.peer }
    public var metadata: [(key: String, value: String)] { call.metadata }
    /// What a client can give to Cancel to end this call.
    public var subscriptionID: String { call.subscriptionID }
    /// When the call must be done; nil for no limit. Past it, it is ended by the server.
    public var deadline: ContinuousClock.Instant? { call.deadline }

    /// Takes the deadline of a request message: milliseconds from now, none for 0.
    /// - Throws: ``WireError`` (`invalidArgument`) for a negative one.
    public func limit(milliseconds: Int64) throws {
        guard milliseconds >= 0 else {
            throw WireError(.invalidArgument, "deadline_ms is \(milliseconds); expected 0 or more")
        }
        if milliseconds > 0 { call.limit(.milliseconds(milliseconds)) }
    }
}

/// The process at the other end of a connection, as the system knows it; laid out as Linux' `struct ucred`.
public struct Peer: Sendable, Hashable {
    public var pid: Int32
    public var uid: UInt32
    public var gid: UInt32

    public init(pid: Int32, uid: UInt32, gid: UInt32) {
        self.pid = pid
        self.uid = uid
        self.gid = gid
    }
}
