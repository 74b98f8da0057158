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
        var alarm: Scheduled<Void>?
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
        self.inbound = InboundQueue { [flow = connection.flow] in flow.taken($0) }
    }

    var hasEnded: Bool { state.withLock { $0.hasEnded } }
    var code: WireError.Code { state.withLock { $0.code } }
    var deadline: ContinuousClock.Instant? { state.withLock { $0.deadline } }

    /// Runs the method; calls `done` when it has returned, which may be after the call has ended.
    func start(_ describe: @escaping @Sendable (any Error) -> WireError, done: @escaping @Sendable () -> Void) {
        let task = Task {
            do {
                try await method.run(self)
            } catch is CancellationError {
                fail(WireError(.cancelled, "the call was cancelled", reason: "cancelled"))
            } catch {
                fail((error as? WireError) ?? describe(error))
            }
            // A method that returns without an answer has none to give.
            fail(WireError(.internal, "\(method.service)/\(method.name) gave no answer"))
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

    func send(_ message: some ProtoMessage, limit: Int? = nil) async throws {
        try await connection.writer.send(dataFrame(message), limit: limit)
    }

    func sendBlocking(_ message: some ProtoMessage) throws {
        try connection.writer.sendBlocking(dataFrame(message))
    }

    private func dataFrame(_ message: some ProtoMessage) throws -> ByteBuffer {
        guard !hasEnded else { throw WireError(.cancelled, "the call has ended", reason: "cancelled") }
        return try connection.allocator.frame(message, stream: stream, kind: .data)
    }

    /// The answer of a method that gives one, which ends the call.
    func respond(_ answer: some ProtoMessage) throws {
        let response = TTRPC.Response(payload: answer.serialized())
        let frame = try connection.allocator.frame(response, stream: stream, kind: .response)
        end(.ok, frame)
    }

    /// The end of a stream: an empty frame, since Go's client takes an OK response for one more message.
    func endStream() {
        end(.ok, try? connection.allocator.frame(stream: stream, kind: .data, flags: [.remoteClosed, .noData]))
    }

    /// Ends the call with an error, unless it has ended, and tells its task to stop.
    func fail(_ error: WireError) {
        end(error.code, connection.failure(error, stream: stream))
        state.withLock { $0.task }?.cancel()
    }

    /// The connection is gone.
    func abandon() {
        end(.cancelled, nil)
        inbound.finish(.connectionClosed)
        state.withLock { $0.task }?.cancel()
    }

    private func end(_ code: WireError.Code, _ last: ByteBuffer?) {
        let isFirst = state.withLock { state in
            guard !state.hasEnded else { return false }
            state.hasEnded = true
            state.code = code
            state.alarm?.cancel()
            state.alarm = nil
            return true
        }
        guard isFirst else { return }
        connection.ended(self)
        if let last { connection.writer.sendNow(last) }
    }

    // MARK: Time

    func limit(_ duration: Duration) {
        let alarm = connection.writer.channel.eventLoop.scheduleTask(in: TimeAmount(duration)) { [weak self] in
            guard let self else { return }
            self.fail(WireError(.deadlineExceeded, "the deadline of \(duration) passed", reason: "deadline_exceeded"))
        }
        state.withLock { state in
            guard !state.hasEnded else { return alarm.cancel() }
            state.alarm?.cancel()
            state.alarm = alarm
            state.deadline = .now + duration
        }
    }
}
