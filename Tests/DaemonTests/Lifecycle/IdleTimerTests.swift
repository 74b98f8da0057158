import Daemon
import Synchronization
import Testing

/// A clock that stands still until someone sleeps: then the events on the way happen, each at its time.
private final class ScriptedClock: Clock {
    struct Instant: InstantProtocol {
        var seconds: Duration
        func advanced(by duration: Duration) -> Instant { Instant(seconds: seconds + duration) }
        func duration(to other: Instant) -> Duration { other.seconds - seconds }
        static func < (a: Instant, b: Instant) -> Bool { a.seconds < b.seconds }
    }

    private struct State {
        var now = Duration.zero
        var events: [(at: Duration, run: @Sendable () -> Void)] = []
    }
    private let state = Mutex(State())

    var now: Instant { Instant(seconds: state.withLock { $0.now }) }
    var minimumResolution: Duration { .zero }

    func at(_ seconds: Int, _ run: @escaping @Sendable () -> Void) {
        state.withLock { $0.events.append((.seconds(seconds), run)) }
    }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        while true {
            let next: (@Sendable () -> Void)? = state.withLock { state in
                guard let event = state.events.first, event.at <= deadline.seconds else {
                    state.now = deadline.seconds
                    return nil
                }
                state.events.removeFirst()
                state.now = event.at
                return event.run
            }
            guard let next else { return }
            next()
        }
    }
}

@Suite("Leaving when idle") struct IdleTimerTests {
    private let clock = ScriptedClock()
    private let timer: IdleTimer<ScriptedClock>

    init() { timer = IdleTimer(after: .seconds(10), clock: clock) }

    private func begin() { #expect(timer.begin()) }
    private var now: Duration { clock.now.seconds }

    @Test("a daemon that nobody uses leaves after the limit")
    func unused() async throws {
        try await timer.wait()
        #expect(now == .seconds(10))
    }

    @Test("the limit counts from the end of the last use")
    func afterUse() async throws {
        clock.at(4) { begin() }
        clock.at(7) { begin() }
        clock.at(8) { timer.end() }
        clock.at(33) { timer.end() }
        try await timer.wait()
        #expect(now == .seconds(43))
    }

    @Test("a use that begins in the last moment keeps the daemon")
    func lastMoment() async throws {
        clock.at(10) { begin() }
        clock.at(11) { timer.end() }
        try await timer.wait()
        #expect(now == .seconds(21))
    }

    @Test("many short uses keep the daemon as one long one does")
    func shortUses() async throws {
        for second in stride(from: 5, through: 95, by: 9) {
            clock.at(second) {
                begin()
                timer.end()
            }
        }
        try await timer.wait()
        #expect(now == .seconds(105))
    }

    @Test("after the time is up nothing may begin")
    func fired() async throws {
        begin()
        timer.end()
        try await timer.wait()
        #expect(!timer.begin())
    }

    @Test("a wait that is cancelled ends")
    func cancelled() async throws {
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await timer.wait()
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(timer.begin())
    }
}
