import Dispatch
import Kernels
import Synchronization

/// One call's right to compute, as long as it lasts.
///
/// The body of ``InferenceQueue/run(client:deadline:_:)`` gets it and calls it on its own thread: between tokens,
/// windows and tensors ``checkpoint()``, and around every wait for someone else ``suspended(_:)``.
public final class EngineTurn: Sendable {
    /// Who the call is for.
    public let client: ClientID
    /// When the work is of no more use.
    public let deadline: ContinuousClock.Instant?

    let ticket: FairSchedule.Ticket
    /// Whether it is short, and late is no use to it.
    public let isUrgent: Bool
    private let queue: InferenceQueue
    private let cancelled = Atomic(false)
    private let companions = Mutex<[EngineTurn]>([])

    init(
        _ queue: InferenceQueue, ticket: FairSchedule.Ticket, client: ClientID, deadline: ContinuousClock.Instant?,
        isUrgent: Bool = false
    ) {
        self.queue = queue
        self.ticket = ticket
        self.isUrgent = isUrgent
        self.client = client
        self.deadline = deadline
    }

    /// A turn of the same call for a second thread of its own, which is cancelled with this one. It has no permit to begin
    /// with: what computes is inside of its ``resumed(_:)``.
    func companion() -> EngineTurn {
        let companion = queue.turn(client: client, deadline: deadline)
        companions.withLock { $0.append(companion) }
        // A cancellation either is seen here or finds the companion.
        if cancelled.load(ordering: .acquiring) { companion.markCancelled() }
        return companion
    }

    /// It and its companions.
    var all: [EngineTurn] { [self] + companions.withLock { $0 } }

    /// Whether the call was cancelled or its deadline has passed. Any thread may ask.
    public var isCancelled: Bool { stop != nil }

    /// Lets others compute where this call has had its share, and comes back when it is its turn again.
    /// - Throws: ``ServiceError``: `cancelled`, `deadlineExceeded`; `resourceExhausted` where little memory is left. The work must then end.
    public func checkpoint() throws {
        if let stop { throw stop }
        try MemoryHeadroom.check()
        try queue.handOver(self)
        if let stop { throw stop }
    }

    /// Runs `body`, which waits for something that is not the engine (a slow reader of results), while others compute.
    /// Inside of itself it changes nothing.
    /// - Throws: what `body` throws; ``ServiceError`` as ``checkpoint()``.
    public func suspended<R>(_ body: () throws -> R) throws -> R {
        guard queue.release(self) else { return try body() }
        let result = Result(catching: body)
        do { try queue.comeBack(self) } catch {
            _ = try result.get()
            throw error
        }
        return try result.get()
    }

    /// Runs `body`, which computes, inside of ``suspended(_:)``: whoever is waited for asks something of the engine; or all
    /// that a companion's thread computes.
    ///
    /// Only there, and on the thread that waits: elsewhere the call would wait for itself.
    func resumed<R>(_ body: () throws -> R) throws -> R {
        try queue.comeBack(self)
        defer { queue.release(self) }
        return try body()
    }

    /// Why the work is to end, where it is.
    var stop: ServiceError? {
        if cancelled.load(ordering: .acquiring) { return ServiceError(.cancelled, "the call was cancelled") }
        guard let deadline, queue.now() >= deadline else { return nil }
        return ServiceError(.deadlineExceeded, "the deadline passed before the work was done")
    }

    func markCancelled() {
        cancelled.store(true, ordering: .releasing)
        for companion in companions.withLock({ $0 }) { companion.markCancelled() }
    }
}

extension EngineTurn? {
    /// Runs `body`, which computes and does not wait: of an urgent call, while all others pause.
    func undisturbed<R>(_ body: () throws -> R) rethrows -> R {
        self?.isUrgent == true ? try Parallel.urgently(body) : try body()
    }
}

/// Where a thread that has begun its work waits for its permit.
final class Gate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)
    private let refusal = Mutex<ServiceError?>(nil)

    /// Lets the thread go on, or end with an error. Called once.
    func open(_ error: ServiceError? = nil) {
        refusal.withLock { $0 = error }
        semaphore.signal()
    }

    /// - Returns: false where `duration` is over first.
    func wait(for duration: Duration?) throws -> Bool {
        if let duration {
            // An hour at a time: more would not fit the system's clock, and the caller asks again.
            let nanoseconds = max(.zero, min(duration, .seconds(3600))) / .nanoseconds(1)
            guard semaphore.wait(timeout: .now() + .nanoseconds(Int(nanoseconds) + 1)) == .success else { return false }
        } else {
            semaphore.wait()
        }
        if let error = refusal.withLock({ $0 }) { throw error }
        return true
    }
}
