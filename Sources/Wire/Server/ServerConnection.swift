import Messages
import NIOCore
import Synchronization

/// What the calls of one connection share; for any thread.
final class ServerConnection: Sendable {
    let id: UInt64
    let peer: Peer
    let writer: ConnectionWriter
    let flow: InboundFlow
    let allocator = ByteBufferAllocator()
    /// Methods that have not returned, also of calls that have ended.
    let running = Atomic<Int>(0)
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

    /// Sends a small frame that cannot wait for room: an error, an end. A client that causes many and fetches none is not
    /// read any further.
    func sendNow(_ frame: ByteBuffer) {
        let size = frame.readableBytes
        flow.arrived(size)
        writer.gate.take(size)
        writer.enqueue(frame) { [flow] in flow.taken(size) }
    }

    /// Answers a stream with an error.
    func refuse(_ error: WireError, stream: UInt32) {
        let response = TTRPC.Response(status: error.status)
        if let frame = try? allocator.frame(response, stream: stream, kind: .response) { sendNow(frame) }
    }
}

/// Reads one connection's frames and begins its calls. All of it runs on the connection's event loop.
final class ServerConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = FrameEvent

    private let server: WireServer
    private let connection: ServerConnection
    /// Why every request of this connection is refused; nil where they are welcome.
    private let refusal: WireError?
    /// This handler, for the calls that end on other threads; emptied at the end, since it closes a cycle.
    private let box: NIOLoopBoundBox<ServerConnectionHandler?>
    private var streams: ServerStreams
    private var calls: [UInt32: ServerCall] = [:]
    private var watch: RepeatedTask?
    private var hasRefused = false
    private var isDone = false

    init(_ server: WireServer, id: UInt64, peer: Peer, channel: any Channel, refusal: WireError?) {
        self.server = server
        self.refusal = refusal
        self.streams = ServerStreams(limit: server.limits.streamsPerConnection)
        let loop = channel.eventLoop
        let box = NIOLoopBoundBox<ServerConnectionHandler?>(nil, eventLoop: loop)
        self.box = box
        self.connection = ServerConnection(id: id, peer: peer, channel: channel, limits: server.limits) { call in
            server.ended(call)
            if loop.inEventLoop { box.value?.forget(call) } else { loop.execute { box.value?.forget(call) } }
        }
        box.value = self
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let stall = server.limits.stall
        // Only an answer can carry a reason, so it is waited for a request, for a moment.
        let refusalLimit = server.limits.refusal
        let interval = TimeAmount(min(stall, refusal == nil ? .seconds(1) : refusalLimit))
        let began = ContinuousClock.now
        watch = context.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) {
            [server, connection, refusal] _ in
            if connection.writer.closeIfStalled(for: stall) {
                server.logger.notice(
                    "connection \(connection.id) was closed: its reader took nothing for \(stall)")
            } else if refusal != nil, ContinuousClock.now - began >= refusalLimit {
                // It has not asked anything that could be refused.
                connection.writer.channel.close(promise: nil)
            }
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let event = unwrapInboundIn(data)
        if let refusal { return refuse(event, refusal) }
        switch streams.receive(event) {
        case .nothing: break
        case .open(let stream, let request, let isOpen): open(stream, request, isOpen: isOpen)
        case .message(let stream, let message): calls[stream]?.inbound.push(message)
        case .endOfMessages(let stream): calls[stream]?.inbound.finish()
        case .refuse(let stream, let error):
            // An error about an open call ends it.
            if let call = calls[stream] { call.fail(error) } else { connection.refuse(error, stream: stream) }
        }
    }

    /// Answers the first request, and closes.
    private func refuse(_ event: FrameEvent, _ refusal: WireError) {
        guard !hasRefused, case .frame(let frame) = event, frame.kind == .request else { return }
        hasRefused = true
        connection.refuse(refusal, stream: frame.stream)
        let channel = connection.writer.channel
        // After the answer in the queue of the event loop.
        channel.eventLoop.execute {
            channel.writeAndFlush(ByteBuffer()).whenComplete { _ in channel.close(promise: nil) }
        }
    }

    private func open(_ stream: UInt32, _ request: TTRPC.Request, isOpen: Bool) {
        do throws(WireError) {
            let method = try server.method(request, isOpen: isOpen)
            // A call that was cancelled makes room for another at once, its method only when it has noticed.
            let most = 4 * server.limits.streamsPerConnection
            guard connection.running.load(ordering: .relaxed) < most else {
                throw WireError(
                    .resourceExhausted, "\(most) calls of this connection were ended and have not stopped yet",
                    reason: "resource_exhausted")
            }
            let call = ServerCall(
                connection, stream: stream, method, metadata: request.metadata.map { ($0.key, $0.value) },
                subscriptionID: server.newSubscriptionID())
            try server.admit(call)
            calls[stream] = call
            if !isOpen || !request.payload.isEmpty { call.inbound.push(ByteBuffer(bytes: request.payload)) }
            if !isOpen { call.inbound.finish() }
            // Negative where the client's own deadline had passed when it sent this.
            if request.timeoutNano != 0 { call.limit(.nanoseconds(max(0, request.timeoutNano))) }
            server.begin(call)
        } catch {
            streams.end(stream)
            connection.refuse(error, stream: stream)
        }
    }

    private func forget(_ call: ServerCall) {
        streams.end(call.stream)
        calls[call.stream] = nil
        call.inbound.finish(WireError(.cancelled, "the call has ended", reason: "cancelled"))
    }

    func channelInactive(context: ChannelHandlerContext) {
        cleanUp()
        context.fireChannelInactive()
    }

    /// Also of a connection that was closed before it was active.
    func handlerRemoved(context: ChannelHandlerContext) { cleanUp() }

    private func cleanUp() {
        guard !isDone else { return }
        isDone = true
        watch?.cancel()
        watch = nil
        box.value = nil
        connection.writer.gate.close(.connectionClosed)
        for call in calls.values { call.abandon() }
        calls = [:]
        server.closed(connection, wasRefused: refusal != nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        server.logger.info("connection \(connection.id) broke: \(error)")
        context.close(promise: nil)
    }
}
