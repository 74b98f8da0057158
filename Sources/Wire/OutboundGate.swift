import Dispatch
import Synchronization

/// How much a connection may have on its way out, and who waits for room.
///
/// Results wait for a slow reader and are never dropped; but a reader that takes nothing for a while loses its
/// connection, so what waits is bounded in bytes and in time.
package final class OutboundGate: Sendable {
    private struct Waiter {
        let place: UInt64
        let size: Int
        let limit: Int
        let resume: @Sendable (Result<Void, any Error>) -> Void
    }

    private struct State {
        var pending = 0
        var lastProgress = ContinuousClock.now
        var waiters: [Waiter] = []
        var nextPlace: UInt64 = 0
        var closed: WireError?
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) { self.limit = limit }

    /// Bytes on their way.
    package var pending: Int { state.withLock { $0.pending } }

    /// Since when nothing has moved, while something waits to; nil where nothing does.
    package var stalledSince: ContinuousClock.Instant? {
        state.withLock { $0.pending > 0 ? $0.lastProgress : nil }
    }

    /// Takes room for `size` bytes whether there is any or not; for what is small and cannot wait.
    package func take(_ size: Int) {
        state.withLock { state in
            if state.pending == 0 { state.lastProgress = .now }
            state.pending += size
        }
    }

    /// Waits for room for `size` bytes, in turn. A message larger than the limit passes when nothing else is on its way.
    /// - Parameter limit: a lower one than the gate's, for what should not be far ahead of its reader.
    /// - Throws: ``WireError`` where the connection closes; `CancellationError`.
    package func reserve(_ size: Int, limit: Int? = nil) async throws {
        try await reserve(size, limit: limit, place: newPlace()) { nil }
    }

    /// The same with a time by which it must have succeeded; whoever keeps it calls ``giveUp(_:_:)`` then.
    /// - Parameter isLate: the error where the time has passed.
    package func reserve(
        _ size: Int, limit: Int? = nil, place: UInt64, isLate: @Sendable () -> WireError?
    ) async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let refusal = { Task.isCancelled ? CancellationError() : isLate() as (any Error)? }
                reserve(size, limit: limit, place: place, refusal: refusal) { continuation.resume(with: $0) }
            }
        } onCancel: {
            giveUp(place, CancellationError())
        }
    }

    /// A place to wait at.
    package func newPlace() -> UInt64 {
        state.withLock { state in
            state.nextPlace += 1
            return state.nextPlace
        }
    }

    /// The same for a thread that may block.
    package func reserveBlocking(_ size: Int) throws {
        let done = DispatchSemaphore(value: 0)
        let outcome = Mutex<Result<Void, any Error>>(.success(()))
        reserve(size, limit: nil, place: newPlace(), refusal: { nil }) { result in
            outcome.withLock { $0 = result }
            done.signal()
        }
        done.wait()
        try outcome.withLock { try $0.get() }
    }

    /// Whether ``reserve(_:)`` would return at once.
    package func hasRoom(for size: Int) -> Bool {
        state.withLock { $0.closed != nil || ($0.waiters.isEmpty && ($0.pending == 0 || $0.pending + size <= limit)) }
    }

    private func reserve(
        _ size: Int, limit: Int?, place: UInt64, refusal: () -> (any Error)?,
        resume: @escaping @Sendable (Result<Void, any Error>) -> Void
    ) {
        let limit = min(limit ?? self.limit, self.limit)
        let now = state.withLock { state -> Result<Void, any Error>? in
            if let closed = state.closed { return .failure(closed) }
            // Asked inside the lock: a cancellation or an alarm after this finds the waiter.
            if let refusal = refusal() { return .failure(refusal) }
            guard state.waiters.isEmpty, state.pending == 0 || state.pending + size <= limit else {
                state.waiters.append(Waiter(place: place, size: size, limit: limit, resume: resume))
                return nil
            }
            if state.pending == 0 { state.lastProgress = .now }
            state.pending += size
            return .success(())
        }
        if let now { resume(now) }
    }

    /// Whoever waits at `place` waits no more.
    package func giveUp(_ place: UInt64, _ error: any Error) {
        let waiter = state.withLock { state -> Waiter? in
            guard let index = state.waiters.firstIndex(where: { $0.place == place }) else { return nil }
            return state.waiters.remove(at: index)
        }
        guard let waiter else { return }
        waiter.resume(.failure(error))
        // The next in turn may be small enough.
        release(0)
    }

    /// `size` bytes have gone.
    package func release(_ size: Int) {
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
    package func close(_ error: WireError) {
        let waiters = state.withLock { state in
            if state.closed == nil { state.closed = error }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(.failure(error)) }
    }
}
