import Synchronization

/// Tells when nobody has needed the daemon for a while: no connection and no job.
///
/// Any thread may begin and end uses; one task waits.
package final class IdleTimer<C: Clock>: Sendable where C.Duration == Duration {
    private struct State {
        var uses = 0
        var idleSince: C.Instant
        var hasFired = false
    }

    private let limit: Duration
    private let clock: C
    private let state: Mutex<State>

    /// - Parameter limit: how long; positive. A daemon that never leaves has no timer.
    package init(after limit: Duration, clock: C) {
        self.limit = limit
        self.clock = clock
        self.state = Mutex(State(idleSince: clock.now))
    }

    /// A connection or a job begins.
    /// - Returns: false where the time is up already: the daemon is on its way out, and the caller has to be refused.
    package func begin() -> Bool {
        state.withLock { state in
            guard !state.hasFired else { return false }
            state.uses += 1
            return true
        }
    }

    /// A connection or a job that ``begin()`` admitted is over.
    package func end() {
        state.withLock { state in
            precondition(state.uses > 0, "more uses ended than began")
            state.uses -= 1
            if state.uses == 0 { state.idleSince = clock.now }
        }
    }

    /// Returns when the time is up. From then on ``begin()`` says no, so that nothing begins between the last look and
    /// the end.
    /// - Throws: `CancellationError`.
    package func wait() async throws {
        while true {
            let deadline: C.Instant? = state.withLock { state in
                let now = clock.now
                // In use: nothing can be up before the limit from now on has passed, so that is when to look again.
                let deadline = (state.uses > 0 ? now : state.idleSince).advanced(by: limit)
                state.hasFired = state.uses == 0 && deadline <= now
                return state.hasFired ? nil : deadline
            }
            guard let deadline else { return }
            try await clock.sleep(until: deadline, tolerance: nil)
        }
    }
}

extension IdleTimer where C == ContinuousClock {
    package convenience init(after limit: Duration) { self.init(after: limit, clock: ContinuousClock()) }
}
