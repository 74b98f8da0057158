import Dispatch
import Messages
import NIOCore
import Synchronization

/// One connection: a thread reads its frames and begins its calls; what its calls share is for any thread.
final class ServerConnection: Sendable {
    let id: UInt64
    let peer: Peer
    let socket: ServerSocket
    /// Where answers wait for room.
    let gate: OutboundGate
    let flow: InboundFlow
    let allocator = ByteBufferAllocator()
    /// Methods that have not returned, also of calls that have ended.
    let running = Atomic<Int>(0)

    private let server: WireServer
    /// Why every request of this connection is refused; nil where they are welcome.
    private let refusal: WireError?
    /// Signalled where what waits has become less.
    private let readable: DispatchSemaphore

    private struct State {
        var streams: ServerStreams
        var calls: [UInt32: ServerCall] = [:]
        var hasRefused = false
    }

    private let state: Mutex<State>

    /// - Parameter descriptor: of a connected socket; taken over.
    init(_ server: WireServer, _ descriptor: Int32, id: UInt64, peer: Peer, refusal: WireError?) {
        let (gate, readable) = (OutboundGate(limit: server.limits.outboundBytes), DispatchSemaphore(value: 0))
        self.server = server
        self.id = id
        self.peer = peer
        self.gate = gate
        self.refusal = refusal
        self.readable = readable
        socket = ServerSocket(descriptor, gate: gate)
        flow = InboundFlow(limit: server.limits.inboundBytes) { _ in readable.signal() }
        state = Mutex(State(streams: ServerStreams(limit: server.limits.streamsPerConnection)))
    }

    // MARK: - For any thread

    /// The call has ended: its stream is another's to use, before its answer is written.
    func ended(_ call: ServerCall) {
        server.ended(call)
        state.withLock { state in
            state.streams.end(call.stream)
            state.calls[call.stream] = nil
        }
        call.inbound.finish(WireError(.cancelled, "the call has ended", reason: "cancelled"))
    }

    /// Sends a small frame that cannot wait for room: an error, an end. A client that causes many and fetches none is not
    /// read any further.
    func sendNow(_ frame: ByteBuffer) {
        let size = frame.readableBytes
        flow.arrived(size)
        gate.take(size)
        socket.enqueue(frame) { [flow] in flow.taken(size) }
    }

    /// Answers a stream with an error.
    func refuse(_ error: WireError, stream: UInt32) {
        let response = TTRPC.Response(status: error.status)
        if let frame = try? allocator.frame(response, stream: stream, kind: .response) { sendNow(frame) }
    }

    // MARK: - The reading thread

    /// Bytes that are asked for at a time: the fewest, at first, and the most.
    private static let room = (least: 2 << 10, first: 8 << 10, most: 1 << 20)
    /// Between two looks at whether a connection that is not read is still there.
    private static let pause = DispatchTimeInterval.milliseconds(50)

    /// Reads frames until the connection ends, and cleans up behind it.
    func serve() {
        // Only an answer can carry a reason, so it is waited for a request, for a moment.
        let limits = server.limits, began = ContinuousClock.now
        socket.limitWaiting(to: min(limits.stall, refusal == nil ? .seconds(1) : limits.refusal))
        var decoder = FrameDecoder(), buffer = ByteBuffer(), room = Self.room.first
        reading: while true {
            if isStalled { break }
            if refusal != nil, ContinuousClock.now - began >= limits.refusal, !hasRefused { break }
            if flow.isPaused {
                _ = readable.wait(timeout: .now() + Self.pause)
                if socket.isClosed || socket.isAbandoned { break }
                continue
            }
            switch socket.receive(into: &buffer, room: room) {
            case .end: break reading
            case .nothingYet: continue
            case .bytes(let count):
                if count == room { room = min(2 * room, Self.room.most) }
                if count < room / 4 { room = max(room / 2, Self.room.least) }
            }
            while let event = decoder.next(&buffer) { receive(event) }
            buffer.forgetRead(keeping: Self.room.most)
        }
        socket.close()
        cleanUp()
    }

    /// Whether its reader has taken nothing for too long, which is said.
    private var isStalled: Bool {
        let limit = server.limits.stall
        guard let since = gate.stalledSince, ContinuousClock.now - since > limit else { return false }
        server.logger.notice("connection \(id) was closed: its reader took nothing for \(limit)")
        return true
    }

    private var hasRefused: Bool { state.withLock { $0.hasRefused } }

    private func receive(_ event: FrameEvent) {
        if let refusal { return refuse(event, refusal) }
        switch state.withLock({ $0.streams.receive(event) }) {
        case .nothing: break
        case .open(let stream, let request, let isOpen): open(stream, request, isOpen: isOpen)
        case .message(let stream, let message): call(stream)?.inbound.push(message)
        case .endOfMessages(let stream): call(stream)?.inbound.finish()
        case .refuse(let stream, let error):
            // An error about an open call ends it.
            if let call = call(stream) { call.fail(error) } else { refuse(error, stream: stream) }
        }
    }

    private func call(_ stream: UInt32) -> ServerCall? { state.withLock { $0.calls[stream] } }

    /// Answers the first request, and closes.
    private func refuse(_ event: FrameEvent, _ refusal: WireError) {
        guard case .frame(let frame) = event, frame.kind == .request else { return }
        let isFirst = state.withLock { state in
            defer { state.hasRefused = true }
            return !state.hasRefused
        }
        guard isFirst else { return }
        refuse(refusal, stream: frame.stream)
        socket.closeWhenWritten()
    }

    private func open(_ stream: UInt32, _ request: TTRPC.Request, isOpen: Bool) {
        do throws(WireError) {
            let method = try server.method(request, isOpen: isOpen)
            // A call that was cancelled makes room for another at once, its method only when it has noticed.
            let most = 4 * server.limits.streamsPerConnection
            guard running.load(ordering: .relaxed) < most else {
                throw WireError(
                    .resourceExhausted, "\(most) calls of this connection were ended and have not stopped yet",
                    reason: "resource_exhausted")
            }
            let call = ServerCall(
                self, stream: stream, method, metadata: request.metadata.map { ($0.key, $0.value) },
                subscriptionID: server.newSubscriptionID())
            // Before the server knows it, by whom it may be ended at once.
            state.withLock { $0.calls[stream] = call }
            try server.admit(call)
            if !isOpen || !request.payload.isEmpty { call.inbound.push(ByteBuffer(bytes: request.payload)) }
            if !isOpen { call.inbound.finish() }
            // Negative where the client's own deadline had passed when it sent this.
            if request.timeoutNano != 0 { call.limit(.nanoseconds(max(0, request.timeoutNano))) }
            server.begin(call)
        } catch {
            state.withLock { state in
                state.streams.end(stream)
                state.calls[stream] = nil
            }
            refuse(error, stream: stream)
        }
    }

    private func cleanUp() {
        let calls = state.withLock { state in
            defer { state.calls = [:] }
            return state.calls.values
        }
        for call in calls { call.abandon() }
        server.closed(self, wasRefused: refusal != nil)
    }
}

extension FrameDecoder {
    /// The next frame that is whole; nil where more bytes are needed.
    fileprivate mutating func next(_ buffer: inout ByteBuffer) -> FrameEvent? { try? decode(buffer: &buffer) }
}

extension ByteBuffer {
    /// Makes room of what was read.
    /// - Parameter capacity: the most that is kept for what comes next.
    fileprivate mutating func forgetRead(keeping capacity: Int) {
        if readableBytes == 0, self.capacity > capacity {
            self = ByteBuffer()
        } else if readableBytes == 0 {
            clear()
        } else if readerIndex > self.capacity / 2 {
            discardReadBytes()
        }
    }
}
