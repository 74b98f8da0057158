import Synchronization

/// Events on their way to a reader that may be slow: they never wait, so the oldest are dropped, and the next one says
/// how many.
final class LiveEvents: Sendable {
    struct Numbered: Sendable {
        /// Counts from 1.
        let seq: UInt64
        /// Events between the one before and this one that were dropped.
        let dropped: UInt64
        /// When the newest sound that it speaks of was captured, and when it was made: nanoseconds since 1970.
        let captured: Int64?
        let made: Int64
        let event: LiveEvent
    }

    private struct State {
        var events: [(seq: UInt64, captured: Int64?, made: Int64, event: LiveEvent)] = []
        var lastSeq: UInt64 = 0
        var lastTaken: UInt64 = 0
        var hasEnded = false
        var failure: (any Error)?
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let limit: Int
    private let state = Mutex(State())

    private let clock: CaptureClock

    /// - Parameters:
    ///   - limit: events that wait at most.
    ///   - clock: knows when sound was captured.
    init(limit: Int = 256, clock: CaptureClock = CaptureClock()) {
        self.limit = max(1, limit)
        self.clock = clock
    }

    func push(_ events: [LiveEvent]) {
        let made = CaptureClock.now
        change { state in
            for event in events {
                state.lastSeq += 1
                state.events.append((state.lastSeq, event.newest.flatMap(clock.time(of:)), made, event))
            }
            state.events.removeFirst(max(0, state.events.count - limit))
        }
    }

    /// No more events come; those that wait are still read.
    func finish(_ failure: (any Error)? = nil) {
        change { state in
            guard !state.hasEnded else { return }
            state.hasEnded = true
            state.failure = failure
        }
    }

    private func change(_ body: (inout State) -> Void) {
        let waiter = state.withLock { state in
            body(&state)
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// The next event; nil after the last. One task reads.
    /// - Throws: what the events ended with; `CancellationError`.
    func next() async throws -> Numbered? {
        while true {
            try Task.checkCancellation()
            let (found, isOver) = try state.withLock { state -> (Numbered?, Bool) in
                if !state.events.isEmpty {
                    let next = state.events.removeFirst()
                    defer { state.lastTaken = next.seq }
                    let dropped = next.seq - state.lastTaken - 1
                    return (
                        Numbered(
                            seq: next.seq, dropped: dropped, captured: next.captured, made: next.made,
                            event: next.event), false
                    )
                }
                if let failure = state.failure { throw failure }
                return (nil, state.hasEnded)
            }
            if found != nil || isOver { return found }
            await wait()
        }
    }

    private func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    // Under the lock: a cancellation either is seen here or finds the waiter.
                    guard state.events.isEmpty, !state.hasEnded, !Task.isCancelled else { return true }
                    state.waiter = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            change { _ in }
        }
    }
}
