import Foundation
import Synchronization

/// The queue in front of everything that computes: bounded, and fair among clients.
///
/// A kernel's run shares out over all cores already, so one call computes at a time unless more permits are given. Each
/// call has a thread of its own from its first grant on, which never is one of Swift's cooperative threads. A long call
/// does not keep short ones waiting: at its checkpoints it hands the permit to a client that had less
/// (``FairSchedule`` is the policy) and waits for its next turn. An urgent call does not wait for that: it computes beside
/// the one that has the permit, whose threads pause.
public final class InferenceQueue: Sendable {
    /// Calls that may wait at once.
    public let limit: Int
    /// How long a call computes before it hands over.
    public let quantum: Duration

    let now: @Sendable () -> ContinuousClock.Instant
    private let state: Mutex<State>
    private let nextTicket = Atomic<FairSchedule.Ticket>(0)
    private let idleMemory: IdleMemory
    /// Calls that compute, and when they last got on.
    let watch = EngineWatch()
    private let begun = Atomic<Int>(0)

    private struct State {
        var schedule: FairSchedule
        var waiters: [FairSchedule.Ticket: Waiter] = [:]
    }

    private enum Waiter {
        /// Has not begun; no thread waits for it.
        case beginning(CheckedContinuation<Void, any Error>)
        /// Has begun; its thread waits.
        case returning(Gate)

        func wake(_ error: ServiceError? = nil) {
            switch self {
            case .beginning(let continuation): continuation.resume(with: error.map { .failure($0) } ?? .success(()))
            case .returning(let gate): gate.open(error)
            }
        }
    }

    /// - Parameter whenIdle: called when nothing has computed for some seconds.
    public convenience init(
        permits: Int = 1, limit: Int = 256, quantum: Duration = .milliseconds(50),
        whenIdle: @escaping @Sendable () -> Void = {}
    ) {
        self.init(permits: permits, limit: limit, quantum: quantum, now: { .now }, whenIdle: whenIdle)
    }

    /// - Parameter now: the clock; tests move it by hand.
    package init(
        permits: Int, limit: Int, quantum: Duration, now: @escaping @Sendable () -> ContinuousClock.Instant,
        whenIdle: @escaping @Sendable () -> Void = {}
    ) {
        idleMemory = IdleMemory(letGo: whenIdle)
        self.limit = max(0, limit)
        self.quantum = quantum
        self.now = now
        self.state = Mutex(State(schedule: FairSchedule(permits: permits)))
    }

    /// Calls that wait for the engine, those that have handed it over among them.
    public var waiting: Int { state.withLock { $0.schedule.waiting } }
    /// Calls that have begun and not ended, those that wait for others than the engine among them.
    var unfinished: Int { begun.load(ordering: .relaxed) }
    /// Calls that compute.
    public var running: Int { state.withLock { $0.schedule.running } }

    /// Runs `body` when it is the client's turn, on a thread of its own.
    ///
    /// Cancelling the task ends a call that waits at once, and one that computes at its next checkpoint.
    /// - Parameters:
    ///   - deadline: when the work is of no more use; nil for never.
    ///   - isUrgent: whether the work is short, and late is no use to it; what it computes inside of `undisturbed(_:)` has the others pause.
    ///   - body: may block; see ``EngineTurn`` for what it owes to the others.
    /// - Throws: what `body` throws; ``ServiceError``: `resourceExhausted` where ``limit`` calls wait already,
    ///   `deadlineExceeded`, `cancelled`.
    public func run<R: Sendable>(
        client: ClientID, deadline: ContinuousClock.Instant? = nil, isUrgent: Bool = false,
        _ body: @escaping @Sendable (EngineTurn) throws -> R
    ) async throws -> R {
        let turn = turn(client: client, deadline: deadline, isUrgent: isUrgent)
        begun.wrappingAdd(1, ordering: .relaxed)
        defer { begun.wrappingSubtract(1, ordering: .relaxed) }
        return try await withTaskCancellationHandler {
            try await begin(turn)
            return try await withCheckedThrowingContinuation { continuation in
                do {
                    try EngineThread.start {
                        let result = Result {
                            if let stop = turn.stop { throw stop }
                            try MemoryHeadroom.check()
                            self.watch.saw(turn)
                            return try body(turn)
                        }
                        self.release(turn)
                        continuation.resume(with: result)
                    }
                } catch {
                    release(turn)
                    continuation.resume(throwing: error)
                }
            }
        } onCancel: {
            turn.markCancelled()
            for turn in turn.all { refuse(turn, ServiceError(.cancelled, "the call was cancelled")) }
        }
    }

    func turn(client: ClientID, deadline: ContinuousClock.Instant?, isUrgent: Bool = false) -> EngineTurn {
        let ticket = nextTicket.wrappingAdd(1, ordering: .relaxed).newValue
        return EngineTurn(self, ticket: ticket, client: client, deadline: deadline, isUrgent: isUrgent)
    }

    // MARK: - Beginning

    /// Waits for the first permit.
    private func begin(_ turn: EngineTurn) async throws {
        let timer = turn.deadline.map { deadline in
            Task {
                try await Task.sleep(until: deadline, clock: .continuous)
                refuse(turn, Self.late)
            }
        }
        defer { timer?.cancel() }
        try await withCheckedThrowingContinuation { continuation in
            let waiter = Waiter.beginning(continuation)
            if let refusal = enqueue(turn, waiter) { waiter.wake(refusal) }
        }
    }

    private static let late = ServiceError(
        .deadlineExceeded, "the deadline passed while the call waited for the engine")

    /// - Returns: why the call may not wait, where it may not.
    private func enqueue(_ turn: EngineTurn, _ waiter: Waiter) -> ServiceError? {
        let (refusal, granted) = state.withLock { state -> (ServiceError?, [Waiter]) in
            // Under the lock: a cancellation either is seen here or finds the waiter.
            if let stop = turn.stop { return (stop, []) }
            if case .beginning = waiter, !state.schedule.hasFreePermit, state.schedule.waiting >= limit {
                let waiting = state.schedule.waiting
                let message = "the engine is busy: \(waiting) calls wait for it, \(limit) may; try again later"
                return (ServiceError(.resourceExhausted, message), [])
            }
            state.schedule.wait(turn.ticket, client: turn.client, isUrgent: turn.isUrgent)
            state.waiters[turn.ticket] = waiter
            return (nil, grants(&state))
        }
        for waiter in granted { waiter.wake() }
        return refusal
    }

    /// Takes a call that waits out of the queue; nothing where it does not wait.
    @discardableResult
    private func refuse(_ turn: EngineTurn, _ error: ServiceError) -> Bool {
        let waiter = state.withLock { state in
            state.schedule.leave(turn.ticket)
            return state.waiters.removeValue(forKey: turn.ticket)
        }
        waiter?.wake(error)
        return waiter != nil
    }

    /// Gives out what permits are free.
    private func grants(_ state: inout State) -> [Waiter] {
        var granted: [Waiter] = []
        while let ticket = state.schedule.grant(now: now()) {
            if let waiter = state.waiters.removeValue(forKey: ticket) { granted.append(waiter) }
        }
        return granted
    }

    // MARK: - What a turn does

    /// Gives the permit back.
    /// - Returns: whether the call had it.
    @discardableResult
    func release(_ turn: EngineTurn) -> Bool {
        watch.left(turn)
        let (had, granted, isIdle) = state.withLock { state in
            let had = state.schedule.release(turn.ticket, now: now())
            let granted = grants(&state)
            return (had, granted, state.schedule.running == 0 && state.schedule.waiting == 0)
        }
        for waiter in granted { waiter.wake() }
        if isIdle { idleMemory.rest { [weak self] in self.map { $0.running == 0 && $0.waiting == 0 } ?? true } }
        return had
    }

    /// Gives the permit to a client that had less, where there is one and the quantum is over, and waits for the next.
    func handOver(_ turn: EngineTurn) throws {
        let gate = Gate()
        let granted = state.withLock { state -> [Waiter]? in
            let now = now()
            guard state.schedule.shouldYield(turn.ticket, quantum: quantum, now: now) else { return nil }
            state.schedule.release(turn.ticket, now: now)
            state.schedule.wait(turn.ticket, client: turn.client, isUrgent: turn.isUrgent)
            state.waiters[turn.ticket] = .returning(gate)
            return grants(&state)
        }
        guard let granted else { return watch.saw(turn) }
        watch.left(turn)
        for waiter in granted { waiter.wake() }
        // A cancellation before the waiter was there found nobody to wake.
        if let stop = turn.stop, refuse(turn, stop) { throw stop }
        try pass(gate, turn)
    }

    /// Waits for a permit after ``release(_:)``.
    func comeBack(_ turn: EngineTurn) throws {
        let gate = Gate()
        if let refusal = enqueue(turn, .returning(gate)) { throw refusal }
        try pass(gate, turn)
    }

    private func pass(_ gate: Gate, _ turn: EngineTurn) throws {
        while try !gate.wait(for: turn.deadline.map { now().duration(to: $0) }) {
            // Where the permit came at the last moment, the gate is open and the next checkpoint tells.
            if let stop = turn.stop, refuse(turn, stop) { throw stop }
        }
        watch.saw(turn)
    }
}
