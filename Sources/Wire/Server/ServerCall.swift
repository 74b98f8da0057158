import Messages
import NIOCore
import Synchronization

/// One call on a server's connection, from any thread.
final class ServerCall: Sendable {
    let connection: ServerConnection
    let stream: UInt32
    let method: ServerMethod
    let metadata: [(key: String, value: String)]
    let subscriptionID: String
    let began = ContinuousClock.now
    /// The client's messages.
    let inbound: InboundQueue

    private struct State {
        var hasEnded = false
        var code = WireError.Code.ok
        var deadline: ContinuousClock.Instant?
        var alarm: Alarm?
        var task: Task<Void, Never>?
    }

    private let state = Mutex(State())

    init(
        _ connection: ServerConnection, stream: UInt32, _ method: ServerMethod,
        metadata: [(key: String, value: String)], subscriptionID: String
    ) {
        self.connection = connection
        self.stream = stream
        self.method = method
        self.metadata = metadata
        self.subscriptionID = subscriptionID
        self.inbound = InboundQueue(flow: connection.flow)
    }

    var hasEnded: Bool { state.withLock { $0.hasEnded } }
    var code: WireError.Code { state.withLock { $0.code } }
    var deadline: ContinuousClock.Instant? { state.withLock { $0.deadline } }

    /// Runs the method; calls `done` when it has returned, which may be after the call has ended.
    func start(_ describe: @escaping @Sendable (any Error) -> WireError, done: @escaping @Sendable () -> Void) {
        connection.running.add(1, ordering: .relaxed)
        // Until it first waits on the thread that reads the connection.
        let task = Task.immediate { [self] in
            do {
                try await method.run(self)
                // A method that returns without an answer has none to give.
                fail(WireError(.internal, "\(method.service)/\(method.name) gave no answer"))
            } catch is CancellationError {
                fail(WireError(.cancelled, "the call was cancelled", reason: "cancelled"))
            } catch {
                fail((error as? WireError) ?? describe(error))
            }
            connection.running.subtract(1, ordering: .relaxed)
            done()
        }
        let isLate = state.withLock { state in
            state.task = task
            return state.hasEnded
        }
        if isLate { task.cancel() }
    }

    /// The request of a method that takes one.
    func onlyRequest<M: ProtoMessage>() async throws -> M {
        guard let buffer = try await inbound.next() else {
            throw WireError(.invalidArgument, "\(method.service)/\(method.name) takes a request, and none came")
        }
        return try M(buffer)
    }

    // MARK: Answers

    /// - Parameter limit: bytes that may be on their way with it; nil for the connection's own bound.
    func send(_ message: some ProtoMessage, limit: Int? = nil) async throws {
        let frame = try dataFrame(message)
        try await connection.gate.reserve(frame.readableBytes, limit: limit)
        try handOver(frame)
    }

    func sendBlocking(_ message: some ProtoMessage) throws {
        let frame = try dataFrame(message)
        try connection.gate.reserveBlocking(frame.readableBytes)
        try handOver(frame)
    }

    private static let ended = WireError(.cancelled, "the call has ended", reason: "cancelled")

    private func dataFrame(_ message: some ProtoMessage) throws -> ByteBuffer {
        guard !hasEnded else { throw Self.ended }
        return try connection.allocator.frame(message, stream: stream, kind: .data)
    }

    /// The call may have ended while its message waited for room. It is asked under the lock that ``end(_:_:)`` takes, so
    /// that nothing follows the frame that ends the call.
    private func handOver(_ frame: ByteBuffer) throws {
        let isOpen = state.withLock { state in
            if !state.hasEnded { connection.socket.enqueue(frame) }
            return !state.hasEnded
        }
        guard isOpen else {
            connection.gate.release(frame.readableBytes)
            throw Self.ended
        }
    }

    /// The answer of a method that gives one, which ends the call. It waits for room too: a client that asks much and
    /// reads nothing would fill the memory otherwise.
    func respond(_ answer: some ProtoMessage) async throws {
        let response = TTRPC.Response(payload: answer.serialized())
        let frame = try connection.allocator.frame(response, stream: stream, kind: .response)
        try await connection.gate.reserve(frame.readableBytes)
        let isFirst = end(.ok) { connection.socket.enqueue(frame) }
        if !isFirst { connection.gate.release(frame.readableBytes) }
    }

    /// The end of a stream: an empty frame, since Go's client takes an OK response for one more message.
    func endStream() {
        end(.ok) {
            guard
                let frame = try? connection.allocator.frame(
                    stream: stream, kind: .data, flags: [.remoteClosed, .noData])
            else { return }
            connection.sendNow(frame)
        }
    }

    /// Ends the call with an error, unless it has ended, and tells its task to stop.
    func fail(_ error: WireError) {
        end(error.code) { connection.refuse(error, stream: stream) }
        state.withLock { $0.task }?.cancel()
    }

    /// The connection is gone.
    func abandon() {
        end(.cancelled) {}
        inbound.finish(.connectionClosed)
        state.withLock { $0.task }?.cancel()
    }

    /// - Returns: whether it had not ended yet; only then `last` is called.
    @discardableResult
    private func end(_ code: WireError.Code, _ last: () -> Void) -> Bool {
        let isFirst = state.withLock { state in
            guard !state.hasEnded else { return false }
            state.hasEnded = true
            state.code = code
            state.alarm?.cancel()
            state.alarm = nil
            return true
        }
        guard isFirst else { return false }
        connection.ended(self)
        last()
        return true
    }

    // MARK: Time

    /// Ends the call when `duration` has passed, unless an earlier end was set.
    func limit(_ duration: Duration) {
        let deadline = ContinuousClock.now + duration
        let alarm = Alarm(after: duration) { [weak self] in
            guard let self else { return }
            self.fail(WireError(.deadlineExceeded, "the deadline of \(duration) passed", reason: "deadline_exceeded"))
        }
        let replaced = state.withLock { state -> Alarm? in
            if state.hasEnded { return alarm }
            if let earlier = state.deadline, earlier <= deadline { return alarm }
            defer { (state.alarm, state.deadline) = (alarm, deadline) }
            return state.alarm
        }
        replaced?.cancel()
    }
}
