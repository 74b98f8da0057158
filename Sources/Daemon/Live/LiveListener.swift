import Synchronization
import Whisper

/// Something that hears sound without gaps as it is made: text, or features.
protocol LiveListener: Sendable {
    /// 16 kHz mono samples, as they come.
    func append(_ samples: [Int16])
    /// Samples that came and were not processed yet.
    var backlog: Int { get }
    /// Whether there is enough new sound to be processed.
    var isReady: Bool { get }
    /// Processes all sound that has come.
    func step(_ turn: EngineTurn?) throws -> [LiveEvent]
    /// Processes what is left, after which nothing follows.
    func close(_ turn: EngineTurn?) throws -> [LiveEvent]
    /// Steps that were merged with later ones.
    var merged: UInt64 { get }
    /// What the next passes run under.
    func steer(_ interventions: [Intervention])
}

/// Listeners one after another: sound that is lost ends one and begins the next, so nobody hears as one what was none.
final class LiveLane: Sendable {
    private struct State {
        /// The last one takes what comes; those before have all that they will get.
        var listeners: [any LiveListener]
        var interventions: [Intervention]
        var merged: UInt64 = 0
    }
    private let state: Mutex<State>
    private let make: @Sendable (_ origin: Int, [Intervention]) throws -> any LiveListener

    /// - Parameter make: a listener whose first sample is number `origin` of all.
    init(
        interventions: [Intervention] = [],
        _ make: @escaping @Sendable (_ origin: Int, [Intervention]) throws -> any LiveListener
    ) throws {
        self.make = make
        state = Mutex(State(listeners: [try make(0, interventions)], interventions: interventions))
    }

    func append(_ samples: [Int16]) { state.withLock { $0.listeners.last?.append(samples) } }

    /// Sound was lost; what is appended next is sample number `origin`.
    func resume(at origin: Int) throws {
        let interventions = state.withLock(\.interventions)
        let next = try make(origin, interventions)
        state.withLock { $0.listeners.append(next) }
    }

    func steer(_ interventions: [Intervention]) {
        state.withLock { state in
            state.interventions = interventions
            for listener in state.listeners { listener.steer(interventions) }
        }
    }

    var backlog: Int { state.withLock { $0.listeners.reduce(0) { $0 + $1.backlog } } }
    var isReady: Bool { state.withLock { $0.listeners.count > 1 || $0.listeners.last?.isReady == true } }
    var merged: UInt64 { state.withLock { $0.listeners.reduce($0.merged) { $0 + $1.merged } } }

    /// Processes all sound that has come. One thread at a time.
    func step(_ turn: EngineTurn?) throws -> [LiveEvent] {
        var events = try closeOld(turn)
        if let last = state.withLock(\.listeners.last), last.isReady { events += try last.step(turn) }
        return events
    }

    func close(_ turn: EngineTurn?) throws -> [LiveEvent] {
        var events = try closeOld(turn)
        if let last = state.withLock(\.listeners.last) { events += try last.close(turn) }
        return events
    }

    private func closeOld(_ turn: EngineTurn?) throws -> [LiveEvent] {
        var events: [LiveEvent] = []
        while let old = state.withLock({ $0.listeners.count > 1 ? $0.listeners[0] : nil }) {
            events += try old.close(turn)
            state.withLock { state in
                state.merged += old.merged
                state.listeners.removeFirst()
            }
        }
        return events
    }
}
