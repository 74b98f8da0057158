import Dispatch
import Synchronization

/// How much a connection may have on its way out, and who waits for room.
///
/// Results wait for a slow reader and are never dropped; but a reader that takes nothing for a while loses its
/// connection, so what waits is bounded in bytes and in time.
final class OutboundGate: Sendable {
    private struct Waiter {
        let id: UInt64
        let size: Int
        let limit: Int
        let resume: @Sendable (Result<Void, any Error>) -> Void
    }

    private struct State {
        var pending = 0
        var lastProgress = ContinuousClock.now
        var waiters: [Waiter] = []
        var nextID: UInt64 = 0
        var closed: WireError?
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) { self.limit = limit }

    /// Bytes on their way.
    var pending: Int { state.withLock { $0.pending } }

    /// Since when nothing has moved, while something waits to; nil where nothing does.
    var stalledSince: ContinuousClock.Instant? {
        state.withLock { $0.pending > 0 ? $0.lastProgress : nil }
    }

    /// Takes room for `size` bytes whether there is any or not; for what is small and cannot wait.
    func take(_ size: Int) {
        state.withLock { state in
            if state.pending == 0 { state.lastProgress = .now }
            state.pending += size
        }
    }

    /// Waits for room for `size` bytes, in turn. A message larger than the limit passes when nothing else is on its way.
    /// - Parameter limit: a lower one than the gate's, for what should not be far ahead of its reader.
    /// - Throws: ``WireError`` where the connection closes; `CancellationError`.
    func reserve(_ size: Int, limit: Int? = nil) async throws {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                reserve(size, id: id, limit: limit, isCancelled: { Task.isCancelled }) { continuation.resume(with: $0) }
            }
        } onCancel: {
            abandon(id)
        }
    }

    /// The same for a thread that may block.
    func reserveBlocking(_ size: Int) throws {
        let done = DispatchSemaphore(value: 0)
        let outcome = Mutex<Result<Void, any Error>>(.success(()))
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        reserve(size, id: id, limit: nil, isCancelled: { false }) { result in
            outcome.withLock { $0 = result }
            done.signal()
        }
        done.wait()
        try outcome.withLock { try $0.get() }
    }

    /// Whether ``reserve(_:)`` would return at once.
    func hasRoom(for size: Int) -> Bool {
        state.withLock { $0.closed != nil || ($0.waiters.isEmpty && ($0.pending == 0 || $0.pending + size <= limit)) }
    }

    private func reserve(
        _ size: Int, id: UInt64, limit: Int?, isCancelled: () -> Bool,
        resume: @escaping @Sendable (Result<Void, any Error>) -> Void
    ) {
        let limit = min(limit ?? self.limit, self.limit)
        let now = state.withLock { state -> Result<Void, any Error>? in
            if let closed = state.closed { return .failure(closed) }
            // Asked inside the lock: a cancellation after this finds the waiter.
            if isCancelled() { return .failure(CancellationError()) }
            guard state.waiters.isEmpty, state.pending == 0 || state.pending + size <= limit else {
                state.waiters.append(Waiter(id: id, size: size, limit: limit, resume: resume))
                return nil
            }
            if state.pending == 0 { state.lastProgress = .now }
            state.pending += size
            return .success(())
        }
        if let now { resume(now) }
    }

    private func abandon(_ id: UInt64) {
        let waiter = state.withLock { state -> Waiter? in
            guard let index = state.waiters.firstIndex(where: { $0.id == id }) else { return nil }
            return state.waiters.remove(at: index)
        }
        waiter?.resume(.failure(CancellationError()))
        release(0)
    }

    /// `size` bytes have gone.
    func release(_ size: Int) {
        let ready = state.withLock { state -> [Waiter] in
            state.pending -= size
            if size > 0 { state.lastProgress = .now }
            var ready: [Waiter] = []
            while let first = state.waiters.first, state.pending == 0 || state.pending + first.size <= first.limit {
                state.waiters.removeFirst()
                state.pending += first.size
                ready.append(first)
            }
            return ready
        }
        for waiter in ready { waiter.resume(.success(())) }
    }

    /// The connection is gone; everyone who waits is told.
    func close(_ error: WireError) {
        let waiters = state.withLock { state in
            if state.closed == nil { state.closed = error }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(.failure(error)) }
    }
}
