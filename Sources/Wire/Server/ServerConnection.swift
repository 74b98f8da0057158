import Messages
import NIOCore

/// What the calls of one connection share; for any thread.
final class ServerConnection: Sendable {
    let id: UInt64
    let peer: Peer
    let writer: ConnectionWriter
    let flow: InboundFlow
    let allocator = ByteBufferAllocator()
    private let onEnd: @Sendable (ServerCall) -> Void

    init(
        id: UInt64, peer: Peer, channel: any Channel, limits: WireServer.Limits,
        onEnd: @escaping @Sendable (ServerCall) -> Void
    ) {
        self.id = id
        self.peer = peer
        self.writer = ConnectionWriter(channel, limit: limits.outboundBytes)
        self.flow = InboundFlow(channel, limit: limits.inboundBytes)
        self.onEnd = onEnd
    }

    func ended(_ call: ServerCall) { onEnd(call) }

    /// The frame that ends a call with an error.
    func failure(_ error: WireError, stream: UInt32) -> ByteBuffer? {
        // A message that quotes what a client sent may be as long as that.
        let error = WireError(error.code, String(error.message.prefix(8192)), reason: error.reason)
        return try? allocator.frame(TTRPC.Response(status: error.status), stream: stream, kind: .response)
    }

    func refuse(_ error: WireError, stream: UInt32) {
        if let frame = failure(error, stream: stream) { writer.sendNow(frame) }
    }
}

/// Reads one connection's frames and begins its calls. All of it runs on the connection's event loop.
final class ServerConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = FrameEvent

    private let server: WireServer
    private let connection: ServerConnection
    /// Why every request of this connection is refused; nil where they are welcome.
    private let refusal: WireError?
    private var streams: ServerStreams
    private var calls: [UInt32: ServerCall] = [:]
    private var watch: RepeatedTask?

    init(_ server: WireServer, id: UInt64, peer: Peer, channel: any Channel, refusal: WireError?) {
        self.server = server
        self.refusal = refusal
        self.streams = ServerStreams(limit: server.limits.streamsPerConnection)
        let box = NIOLoopBoundBox<ServerConnectionHandler?>(nil, eventLoop: channel.eventLoop)
        let loop = channel.eventLoop
        self.connection = ServerConnection(id: id, peer: peer, channel: channel, limits: server.limits) { call in
            server.ended(call)
            if loop.inEventLoop { box.value?.forget(call) } else { loop.execute { box.value?.forget(call) } }
        }
        box.value = self
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let stall = server.limits.stall
        let interval = TimeAmount(min(stall, .seconds(1)))
        watch = context.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) {
            [server, connection] _ in
            if connection.writer.closeIfStalled(for: stall) {
                server.logger.notice(
                    "connection \(connection.id) was closed: its reader took nothing for \(stall)")
            }
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let event = unwrapInboundIn(data)
        if let refusal { return refuse(event, refusal, context) }
        switch streams.receive(event) {
        case .nothing: break
        case .open(let stream, let request, let isOpen): open(stream, request, isOpen: isOpen)
        case .message(let stream, let message):
            connection.flow.arrived(message.readableBytes)
            calls[stream]?.inbound.push(message)
        case .endOfMessages(let stream): calls[stream]?.inbound.finish()
        case .refuse(let stream, let error):
            // An error about an open call ends it.
            if let call = calls[stream] { call.fail(error) } else { connection.refuse(error, stream: stream) }
        }
    }

    private func refuse(_ event: FrameEvent, _ refusal: WireError, _ context: ChannelHandlerContext) {
        switch event {
        case .oversized: break
        case .frame(let frame):
            guard frame.kind == .request, let answer = connection.failure(refusal, stream: frame.stream) else { return }
            context.writeAndFlush(NIOAny(answer)).assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        }
    }

    private func open(_ stream: UInt32, _ request: TTRPC.Request, isOpen: Bool) {
        do {
            let method = try server.method(request, isOpen: isOpen)
            let call = ServerCall(
                connection, stream: stream, method, metadata: request.metadata.map { ($0.key, $0.value) },
                subscriptionID: server.newSubscriptionID())
            calls[stream] = call
            if !isOpen || !request.payload.isEmpty {
                connection.flow.arrived(request.payload.count)
                call.inbound.push(ByteBuffer(bytes: request.payload))
            }
            if !isOpen { call.inbound.finish() }
            if request.timeoutNano > 0 { call.limit(.nanoseconds(request.timeoutNano)) }
            server.begin(call)
        } catch {
            streams.end(stream)
            connection.refuse(error, stream: stream)
        }
    }

    private func forget(_ call: ServerCall) {
        streams.end(call.stream)
        calls[call.stream] = nil
        call.inbound.finish(WireError(.cancelled, "the call has ended"))
    }

    func channelInactive(context: ChannelHandlerContext) {
        watch?.cancel()
        watch = nil
        connection.writer.gate.close(.connectionClosed)
        for call in Array(calls.values) { call.abandon() }
        calls = [:]
        server.closed(connection)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        server.logger.info("connection \(connection.id) broke: \(error)")
        context.close(promise: nil)
    }
}
