/// Who asks: what the engine's time is shared out among. The number means nothing else.
public struct ClientID: Hashable, Sendable, CustomStringConvertible {
    public let value: UInt64
    public init(_ value: UInt64) { self.value = value }
    /// An account of its own for the same client's urgent work.
    var beside: ClientID { ClientID(value | 1 << 63) }
    public var description: String { "client \(value)" }
}

/// Who may compute next: the policy of ``InferenceQueue`` without its threads and its clock.
///
/// Fair queueing by virtual time. Each client has a *use*: the engine time that it has had. The waiting client of least
/// use goes next, and of one client the call that came first. Virtual time is what each client would have had by now
/// had they all computed side by side: it grows by the time used divided by the number of clients that compete. A client
/// that appears, or comes back, starts there, so that neither absence earns credit nor a burst of new clients can keep
/// an old one waiting for ever. (Self-clocked virtual time, the start tag of what is being served, has that flaw: it
/// stands still while newcomers keep coming.)
///
/// A use that is ahead of virtual time is remembered while its client is away, until virtual time catches up, or until
/// nobody computes any more.
///
/// An *urgent* call is short, and late is no use to it: it goes beside the others, who pause meanwhile, with a permit that only one such
/// call has at a time. It has to be owed that: its client's use may exceed nobody's by more than an allowance. Past that it waits
/// like any other. And it is dear: its time counts several times, so that who has others pause leaves them most of a machine that is too
/// slow for all. What comes in hops then has wider ones.
package struct FairSchedule {
    /// A call on its way through the engine. Smaller numbers came first.
    package typealias Ticket = UInt64
    package typealias Instant = ContinuousClock.Instant

    private struct Client {
        var use: Duration
        /// Its calls that wait or compute.
        var calls = 0
    }

    private struct Waiting {
        let client: ClientID
        let isUrgent: Bool
    }

    private struct Running {
        let client: ClientID
        /// Whether it has the permit of urgent calls.
        let isBeside: Bool
        /// How often its time counts.
        let cost: Int
        /// Of its time, what is on its client's account already, and since when it computes beyond that; nil while it pauses.
        var settled = Duration.zero
        var since: Instant?

        func open(_ now: Instant) -> Duration { since.map { max(.zero, $0.duration(to: now)) } ?? .zero }
        /// What is not on the account yet.
        func due(_ now: Instant) -> Duration { open(now) * cost }
    }

    /// Calls that may compute at once.
    package let permits: Int
    package private(set) var virtualTime = Duration.zero
    /// By how much the use of an urgent call's client may exceed others'.
    private let allowance: Duration
    private let urgentCost: Int
    private var clients: [ClientID: Client] = [:]
    private var waiters: [Ticket: Waiting] = [:]
    private var runners: [Ticket: Running] = [:]

    /// - Parameter urgentCost: how often the time of urgent calls counts: where others always want the engine, those of one client have
    ///   one part of 1 + `urgentCost` of it.
    package init(permits: Int, allowance: Duration = .milliseconds(50), urgentCost: Int = 3) {
        self.permits = max(1, permits)
        self.allowance = allowance
        self.urgentCost = max(1, urgentCost)
    }

    package var waiting: Int { waiters.count }
    package var running: Int { runners.count }
    package var hasFreePermit: Bool { runners.values.count { !$0.isBeside } < permits }
    private var isUrgentRunning: Bool { runners.values.contains(where: \.isBeside) }
    /// Clients that are remembered, for tests: it must not grow with all that ever called.
    package var remembered: Int { clients.count }

    /// The engine time that counts for a client, that of its calls under way included; urgent calls' at its cost.
    package func use(of client: ClientID, now: Instant) -> Duration {
        let settled = max(clients[client]?.use ?? virtualTime, virtualTime(ifIdle: client))
        return runners.values.reduce(settled) { $1.client == client ? $0 + $1.due(now) : $0 }
    }

    /// A call begins to wait for a permit.
    package mutating func wait(_ ticket: Ticket, client: ClientID, isUrgent: Bool = false) {
        guard waiters[ticket] == nil, runners[ticket] == nil else { return }
        let use = max(clients[client]?.use ?? virtualTime, virtualTime(ifIdle: client))
        clients[client, default: Client(use: use)].use = use
        clients[client]?.calls += 1
        waiters[ticket] = Waiting(client: client, isUrgent: isUrgent)
    }

    /// A call gives up waiting.
    /// - Returns: whether it waited.
    @discardableResult
    package mutating func leave(_ ticket: Ticket) -> Bool {
        guard let waiter = waiters.removeValue(forKey: ticket) else { return false }
        retire(waiter.client)
        return true
    }

    /// Gives a permit to the call whose turn it is; nil where none is free or nobody waits.
    package mutating func grant(now: Instant) -> Ticket? {
        if let ticket = nextUrgent(now) {
            for other in runners.keys { pause(other, now) }
            run(ticket, isBeside: true, since: now)
            return ticket
        }
        guard hasFreePermit, let ticket = next(of: waiters, now) else { return nil }
        run(ticket, isBeside: false, since: isUrgentRunning ? nil : now)
        return ticket
    }

    /// The waiting call of the client of least use.
    private func next(of waiters: [Ticket: Waiting], _ now: Instant) -> Ticket? {
        let uses = Dictionary(
            uniqueKeysWithValues: Set(waiters.values.map(\.client)).map { ($0, use(of: $0, now: now)) })
        return waiters.min { a, b in
            let (x, y) = (uses[a.value.client] ?? .zero, uses[b.value.client] ?? .zero)
            return x == y ? a.key < b.key : x < y
        }?.key
    }

    /// An urgent call that may go beside the others.
    private func nextUrgent(_ now: Instant) -> Ticket? {
        let urgent = waiters.filter(\.value.isUrgent)
        guard !urgent.isEmpty, !isUrgentRunning, let ticket = next(of: urgent, now), let call = urgent[ticket]
        else { return nil }
        let others = Set(waiters.values.filter { !$0.isUrgent }.map(\.client) + runners.values.map(\.client))
            .subtracting([call.client])
        let least = others.map { use(of: $0, now: now) }.min()
        return least.map { use(of: call.client, now: now) <= $0 + allowance } ?? true ? ticket : nil
    }

    private mutating func run(_ ticket: Ticket, isBeside: Bool, since: Instant?) {
        guard let waiter = waiters.removeValue(forKey: ticket) else { return }
        let cost = waiter.isUrgent ? urgentCost : 1
        runners[ticket] = Running(client: waiter.client, isBeside: isBeside, cost: cost, since: since)
    }

    private mutating func pause(_ ticket: Ticket, _ now: Instant) {
        guard let runner = runners[ticket] else { return }
        charge(runner.client, runner.due(now))
        runners[ticket]?.settled += runner.open(now)
        runners[ticket]?.since = nil
    }

    private mutating func charge(_ client: ClientID, _ used: Duration) {
        clients[client]?.use += used
        virtualTime += used / max(1, clients.values.count { $0.calls > 0 })
    }

    /// A call gives its permit back, for good or for a while; its time is put to its client's account.
    /// - Returns: whether it had one.
    @discardableResult
    package mutating func release(_ ticket: Ticket, now: Instant) -> Bool {
        guard let runner = runners.removeValue(forKey: ticket) else { return false }
        charge(runner.client, runner.due(now))
        if runner.isBeside { for other in runners.keys { runners[other]?.since = now } }
        retire(runner.client)
        return true
    }

    /// Whether a call has computed for `quantum` and a client that had less waits.
    package func shouldYield(_ ticket: Ticket, quantum: Duration, now: Instant) -> Bool {
        guard let runner = runners[ticket], runner.settled + runner.open(now) >= quantum else { return false }
        let own = use(of: runner.client, now: now)
        return Set(waiters.values.map(\.client)).contains { $0 != runner.client && use(of: $0, now: now) < own }
    }

    /// The least that a client without calls starts with; clients that compete keep their own account.
    private func virtualTime(ifIdle client: ClientID) -> Duration {
        (clients[client]?.calls ?? 0) == 0 ? virtualTime : .zero
    }

    private mutating func retire(_ client: ClientID) {
        clients[client]?.calls -= 1
        if waiters.isEmpty && runners.isEmpty {
            // Nobody competes: what was used no longer matters.
            virtualTime = clients.values.reduce(virtualTime) { max($0, $1.use) }
            clients = [:]
        } else {
            clients = clients.filter { $0.value.calls > 0 || $0.value.use > virtualTime }
        }
    }
}
