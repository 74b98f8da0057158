import NIOCore
import Synchronization

/// Messages of one call on their way from the event loop to the one task that reads them.
final class InboundQueue: Sendable {
    private struct State {
        var messages: [ByteBuffer] = []
        var taken = 0
        var end: Result<Void, WireError>?
        var waiter: CheckedContinuation<ByteBuffer?, any Error>?
    }

    private let state = Mutex(State())
    private let onTaken: @Sendable (Int) -> Void

    /// - Parameter onTaken: told of the bytes of each message that was taken.
    init(onTaken: @escaping @Sendable (Int) -> Void) { self.onTaken = onTaken }

    func push(_ message: ByteBuffer) {
        let waiter = state.withLock { state -> CheckedContinuation<ByteBuffer?, any Error>? in
            guard state.end == nil else { return nil }
            if let waiter = state.waiter {
                state.waiter = nil
                return waiter
            }
            state.messages.append(message)
            return nil
        }
        guard let waiter else { return }
        waiter.resume(returning: message)
        onTaken(message.readableBytes)
    }

    /// No more messages come. Those that wait are still read, unless it ends with an error.
    func finish(_ error: WireError? = nil) {
        let (waiter, dropped) = state.withLock { state -> (CheckedContinuation<ByteBuffer?, any Error>?, Int) in
            guard state.end == nil else { return (nil, 0) }
            state.end = error.map { .failure($0) } ?? .success(())
            var dropped = 0
            if error != nil {
                dropped = state.messages[state.taken...].reduce(0) { $0 + $1.readableBytes }
                state.messages = []
                state.taken = 0
            }
            defer { state.waiter = nil }
            return (state.waiter, dropped)
        }
        if dropped > 0 { onTaken(dropped) }
        if let error { waiter?.resume(throwing: error) } else { waiter?.resume(returning: nil) }
    }

    /// The next message; nil after the last. One task at a time may ask.
    /// - Throws: the ``WireError`` that the call ended with; `CancellationError` where the task is cancelled.
    func next() async throws -> ByteBuffer? {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let ready = state.withLock { state -> Result<ByteBuffer?, any Error>? in
                    if state.taken < state.messages.count {
                        let message = state.messages[state.taken]
                        state.taken += 1
                        if state.taken == state.messages.count || state.taken >= 64 {
                            state.messages.removeFirst(state.taken)
                            state.taken = 0
                        }
                        return .success(message)
                    }
                    switch state.end {
                    case .success?: return .success(nil)
                    case .failure(let error)?: return .failure(error)
                    case nil: break
                    }
                    guard !Task.isCancelled, state.waiter == nil else { return .failure(CancellationError()) }
                    state.waiter = continuation
                    return nil
                }
                guard let ready else { return }
                if case .success(let message?) = ready { onTaken(message.readableBytes) }
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
