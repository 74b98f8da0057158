import Foundation
import Messages
import NIOCore
import NIOPosix
import Synchronization

/// A ttRPC client: one connection to a Unix socket, for any number of calls at once and from any thread.
public final class WireClient: Sendable {
    private struct State {
        var calls: [UInt32: ClientCall] = [:]
        var nextStream: UInt32 = 1
        var isLost = false
    }

    private let state = Mutex(State())
    private let writer: ConnectionWriter
    let flow: InboundFlow
    private let allocator = ByteBufferAllocator()

    /// What every call says beside its request.
    private let metadata: [(key: String, value: String)]

    private init(_ channel: any Channel, metadata: [(key: String, value: String)]) {
        self.metadata = metadata
        writer = ConnectionWriter(channel, limit: 8 << 20)
        flow = InboundFlow(limit: 8 << 20) { Self.read(channel, $0) }
    }

    /// Brings the channel to the flow's state, on its event loop only: two threads that each set what they saw could leave it
    /// reading while the state says that it is paused.
    private static func read(_ channel: any Channel, _ flow: InboundFlow) {
        guard channel.eventLoop.inEventLoop else { return channel.eventLoop.execute { read(channel, flow) } }
        channel.setOption(ChannelOptions.autoRead, value: !flow.isPaused).whenFailure { _ in
            // The channel is closed: there is nothing to read any more.
        }
    }

    /// - Parameter metadata: what every call says beside its request (``CallMetadata``).
    /// - Throws: ``WireError`` (`unavailable`) where nothing listens at `path`.
    public static func connect(
        to path: String, metadata: [(key: String, value: String)] = [],
        group: any EventLoopGroup = .singletonMultiThreadedEventLoopGroup
    ) async throws -> WireClient {
        let bootstrap = ClientBootstrap(group: group)
            .channelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 2048, initial: 8192, maximum: 1 << 20)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(FrameDecoder()))
                }
            }
        do {
            let channel = try await bootstrap.connect(unixDomainSocketPath: path).get()
            let client = WireClient(channel, metadata: metadata)
            try await channel.eventLoop.submit {
                try channel.pipeline.syncOperations.addHandler(ClientConnectionHandler(client))
                // A server may have closed it meanwhile, which nobody has heard.
                if !channel.isActive { client.lost() }
            }.get()
            return client
        } catch {
            throw WireError(.unavailable, "nothing answers at \(path): \(reason(error))", reason: "unavailable")
        }
    }

    private static func reason(_ error: any Error) -> String {
        (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(error)"
    }

    /// Closes the connection, which cancels all its calls.
    public func close() async {
        try? await writer.channel.close().get()
        lost()
    }

    deinit { writer.channel.close(promise: nil) }

    /// Whether the connection can still be used.
    public var isOpen: Bool { !state.withLock { $0.isLost } }

    // MARK: - Typed calls

    /// A unary call.
    /// - Parameter timeout: for the whole of it; the server knows it too.
    /// - Throws: the ``WireError`` that it ended with.
    public func call<Q, A>(
        _ rpc: RPC<Q, A>, _ request: Q, timeout: Duration? = nil, metadata: [(key: String, value: String)] = []
    ) async throws -> A {
        let answer = try await unary(
            rpc.service, rpc.method, request.serialized(), timeout: timeout, metadata: metadata)
        return try A(answer)
    }

    /// A call that is answered with a stream.
    public func stream<Q, A>(_ rpc: RPC<Q, A>, _ request: Q) async throws -> AnswerStream<A> {
        AnswerStream(try await open(rpc.service, rpc.method, request.serialized(), sendsMore: false))
    }

    /// A call that streams messages to the server.
    public func open<Q, A>(_ rpc: RPC<Q, A>) async throws -> OpenCall<Q, A> {
        OpenCall(try await open(rpc.service, rpc.method, nil, sendsMore: true, answersOnce: rpc.kind == .clientStream))
    }

    // MARK: - Calls in bytes

    /// A unary call whose messages are bytes.
    public func unary(
        _ service: String, _ method: String, _ request: [UInt8], timeout: Duration? = nil,
        metadata: [(key: String, value: String)] = []
    ) async throws -> ByteBuffer {
        let late = WireError(
            .deadlineExceeded, "no answer within \(timeout ?? .zero)", reason: "deadline_exceeded")
        if let timeout, timeout <= .zero { throw late }
        let request = TTRPC.Request(
            service: service, method: method, payload: request,
            timeoutNano: timeout.map { TimeAmount($0).nanoseconds } ?? 0,
            metadata: (self.metadata + metadata).map { TTRPC.KeyValue(key: $0.key, value: $0.value) })
        // The server keeps the time too; this is for one that does not answer at all.
        let limit = timeout.map { $0 + .milliseconds(100) }
        let began = ContinuousClock.now
        let call = try await begin(request, flags: [], answersOnce: true, limit: limit, late)
        let alarm = limit.map { limit in
            let rest = TimeAmount(limit - (ContinuousClock.now - began))
            return writer.channel.eventLoop.scheduleTask(in: rest) { call.fail(late) }
        }
        defer {
            alarm?.cancel()
            // Also a call whose task was cancelled: what comes for it is passed over.
            call.fail(.connectionClosed)
        }
        guard let answer = try await call.inbound.next() else {
            throw WireError(.internal, "\(service)/\(method) gave no answer")
        }
        return answer
    }

    /// A streaming call whose messages are bytes.
    public func open(
        _ service: String, _ method: String, _ request: [UInt8]?, sendsMore: Bool, answersOnce: Bool = false
    ) async throws -> OpenBytesCall {
        let request = TTRPC.Request(
            service: service, method: method, payload: request ?? [],
            metadata: metadata.map { TTRPC.KeyValue(key: $0.key, value: $0.value) })
        let flags: Frame.Flags = sendsMore ? .remoteOpen : .remoteClosed
        return OpenBytesCall(try await begin(request, flags: flags, answersOnce: answersOnce))
    }

    // MARK: - Streams

    /// - Parameters:
    ///   - limit: how long to wait for room; nil for any time.
    ///   - late: the error where there was none in that time.
    private func begin(
        _ request: TTRPC.Request, flags: Frame.Flags, answersOnce: Bool, limit: Duration? = nil,
        _ late: WireError = .connectionClosed
    ) async throws -> ClientCall {
        var frame = try allocator.frame(request, stream: 0, kind: .request, flags: flags)
        let gate = writer.gate
        if let limit {
            let place = gate.newPlace()
            let deadline = ContinuousClock.now + limit
            let alarm = writer.channel.eventLoop.scheduleTask(in: TimeAmount(limit)) { gate.giveUp(place, late) }
            defer { alarm.cancel() }
            try await gate.reserve(frame.readableBytes, place: place) { ContinuousClock.now < deadline ? nil : late }
        } else {
            try await gate.reserve(frame.readableBytes)
        }
        do {
            return try state.withLock { state in
                guard !state.isLost else { throw WireError.connectionClosed }
                guard state.nextStream < UInt32.max - 1 else {
                    throw WireError(.resourceExhausted, "this connection has used up its stream ids; make another")
                }
                // The server wants ids in the order in which they rise, so an id is given away together with the
                // frame's place in the queue.
                let call = ClientCall(self, stream: state.nextStream, answersOnce: answersOnce)
                state.nextStream += 2
                state.calls[call.stream] = call
                frame.setStream(call.stream)
                writer.enqueue(frame)
                return call
            }
        } catch {
            gate.release(frame.readableBytes)
            throw error
        }
    }

    /// Sends a message of an open call; nil closes the client's side of it.
    func send(_ message: [UInt8]?, on call: ClientCall) async throws {
        let frame = try message.map { try allocator.frame(bytes: $0, stream: call.stream, kind: .data) }
        // The frame that closes is empty: Go's server refuses one with a payload.
        let closing: Frame.Flags = [.remoteClosed, .noData]
        let last = try frame ?? allocator.frame(stream: call.stream, kind: .data, flags: closing)
        // A server that has refused the call wants no more of it.
        if let failure = call.inbound.failure { throw failure }
        try await writer.gate.reserve(last.readableBytes)
        writer.enqueue(last)
    }

    func call(_ stream: UInt32) -> ClientCall? { state.withLock { $0.calls[stream] } }

    func forget(_ stream: UInt32) { state.withLock { $0.calls[stream] = nil } }

    func lost() {
        let calls = state.withLock { state in
            state.isLost = true
            defer { state.calls = [:] }
            return Array(state.calls.values)
        }
        writer.gate.close(.connectionClosed)
        for call in calls { call.fail(.connectionClosed) }
    }
}
