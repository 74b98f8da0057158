import NIOCore
import Synchronization

/// Messages of one call on their way from the connection's thread to the one task that reads them.
final class InboundQueue: Sendable {
    private struct State {
        var messages = CircularBuffer<ByteBuffer>()
        var end: Result<Void, WireError>?
        var waiter: CheckedContinuation<ByteBuffer?, any Error>?

        var failure: WireError? {
            guard case .failure(let error)? = end else { return nil }
            return error
        }
    }

    private let state = Mutex(State())
    private let flow: InboundFlow

    /// - Parameter flow: told of what waits here.
    init(flow: InboundFlow) { self.flow = flow }

    /// The error that it ended with; nil where it has none.
    var failure: WireError? { state.withLock { $0.failure } }

    /// After the end, messages are passed over.
    func push(_ message: ByteBuffer) {
        let (waiter, waits) = state.withLock { state -> (CheckedContinuation<ByteBuffer?, any Error>?, Bool) in
            guard state.end == nil else { return (nil, false) }
            if let waiter = state.waiter {
                state.waiter = nil
                return (waiter, false)
            }
            state.messages.append(Self.compact(message))
            return (nil, true)
        }
        waiter?.resume(returning: message)
        if waits { flow.arrived(message.readableBytes) }
    }

    /// A small message that is a slice of a large piece of what came would keep all of it in memory.
    private static func compact(_ message: ByteBuffer) -> ByteBuffer {
        guard message.storageCapacity > 2 * message.readableBytes + 1024 else { return message }
        return ByteBuffer(bytes: message.readableBytesView)
    }

    /// No more messages come. An end without an error may be followed by one with an error.
    /// - Parameter keepingMessages: whether those that wait are still read before the error; without an error they are.
    func finish(_ error: WireError? = nil, keepingMessages: Bool = false) {
        let (waiter, dropped) = state.withLock { state in
            var dropped = CircularBuffer<ByteBuffer>()
            if let error {
                if state.failure == nil { state.end = .failure(error) }
                if !keepingMessages { swap(&dropped, &state.messages) }
            } else if state.end == nil {
                state.end = .success(())
            }
            defer { state.waiter = nil }
            return (state.waiter, dropped)
        }
        for message in dropped { flow.taken(message.readableBytes) }
        if let error { waiter?.resume(throwing: error) } else { waiter?.resume(returning: nil) }
    }

    /// The next message; nil after the last. One task at a time may ask.
    /// - Throws: the ``WireError`` that the call ended with; `CancellationError` where the task is cancelled.
    func next() async throws -> ByteBuffer? {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let ready = state.withLock { state -> Result<ByteBuffer?, any Error>? in
                    if let message = state.messages.popFirst() { return .success(message) }
                    switch state.end {
                    case .success?: return .success(nil)
                    case .failure(let error)?: return .failure(error)
                    case nil: break
                    }
                    // Asked inside the lock: a cancellation after this finds the waiter.
                    if Task.isCancelled { return .failure(CancellationError()) }
                    guard state.waiter == nil else {
                        return .failure(WireError(.internal, "two tasks read the messages of one call"))
                    }
                    state.waiter = continuation
                    return nil
                }
                guard let ready else { return }
                if case .success(let message?) = ready { flow.taken(message.readableBytes) }
                continuation.resume(with: ready)
            }
        } onCancel: {
            let waiter = state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume(throwing: CancellationError())
        }
    }
}
