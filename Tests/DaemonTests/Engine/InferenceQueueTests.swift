import Files
import Foundation
import Synchronization
import TestSupport
import Testing

import Daemon

/// What happened, in order, from any thread.
private final class Record<Event: Sendable & Equatable>: Sendable {
    private let events = Mutex<[Event]>([])
    func add(_ event: Event) { events.withLock { $0.append(event) } }
    var all: [Event] { events.withLock { $0 } }
}

/// A clock that moves when it is told to.
private final class HandClock: Sendable {
    private let start = ContinuousClock.now
    private let passed = Mutex(Duration.zero)
    func advance(_ milliseconds: Int) { passed.withLock { $0 += .milliseconds(milliseconds) } }
    var now: ContinuousClock.Instant { start + passed.withLock { $0 } }
}

private final class Counter: Sendable {
    private let count = Atomic(0)
    func add() { count.add(1, ordering: .relaxed) }
    var value: Int { count.load(ordering: .relaxed) }
}

/// Lets a thread wait for the test.
private final class Latch: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)
    func open() { semaphore.signal() }
    func wait() {
        semaphore.wait()
        semaphore.signal()
    }
}

/// Waits, without a limit of its own, until something that must become true does.
private func until(_ condition: @Sendable () -> Bool) async {
    while !condition() { try? await Task.sleep(for: .milliseconds(1)) }
}

private func blockingUntil(_ condition: () -> Bool) { while !condition() { usleep(1000) } }

@Suite("The inference queue", .timeLimit(.minutes(2))) struct InferenceQueueTests {
    private let one = ClientID(1), two = ClientID(2)

    /// Holds the only permit until the latch opens.
    private func occupy(_ queue: InferenceQueue, _ client: ClientID, _ latch: Latch) async -> Task<Void, any Error> {
        let task = Task { try await queue.run(client: client) { _ in latch.wait() } }
        await until { queue.running == 1 }
        return task
    }

    @Test("a call returns its value, and an error of its body is thrown and leaves nothing behind")
    func values() async throws {
        struct Odd: Error {}
        let queue = InferenceQueue()
        #expect(try await queue.run(client: one) { _ in 42 } == 42)
        await #expect(throws: Odd.self) { try await queue.run(client: one) { _ in throw Odd() } }
        #expect(try await queue.run(client: one) { _ in "after" } == "after")
        #expect(queue.running == 0 && queue.waiting == 0)
    }

    @Test("bodies that block, many more than there are cores, keep no task waiting")
    func blocking() async throws {
        let queue = InferenceQueue(permits: 64)
        let latch = Latch()
        let tasks = (0..<64).map { _ in Task { try await queue.run(client: one) { _ in latch.wait() } } }
        await until { queue.running == 64 }
        #expect(await Task { 1 }.value == 1)
        latch.open()
        for task in tasks { try await task.value }
    }

    @Test("an urgent call computes beside the one that has the permit, and does not wait for its checkpoint")
    func urgent() async throws {
        let queue = InferenceQueue()
        let latch = Latch()
        let blocker = await occupy(queue, one, latch)
        let seen = try await queue.run(client: two, isUrgent: true) { turn in
            // Giving the permit back and taking it again changes nothing.
            try turn.suspended {}
            return turn.isUrgent ? queue.running : 0
        }
        #expect(seen == 2)
        latch.open()
        try await blocker.value
        #expect(queue.running == 0 && queue.waiting == 0)
    }

    @Test("calls of one client run one at a time in the order in which they came")
    func order() async throws {
        let queue = InferenceQueue()
        let record = Record<Int>()
        let latch = Latch()
        let blocker = await occupy(queue, one, latch)
        var tasks: [Task<Void, any Error>] = []
        for index in 0..<10 {
            tasks.append(Task { try await queue.run(client: one) { _ in record.add(index) } })
            await until { queue.waiting == index + 1 }
        }
        latch.open()
        for task in tasks + [blocker] { try await task.value }
        #expect(record.all == Array(0..<10))
    }

    @Test("more calls than may wait are refused at once, and those that wait are served")
    func limit() async throws {
        let queue = InferenceQueue(limit: 2)
        let latch = Latch()
        var tasks = [await occupy(queue, one, latch)]
        for index in 1...2 {
            tasks.append(Task { try await queue.run(client: one) { _ in } })
            await until { queue.waiting == index }
        }
        let error = await #expect(throws: ServiceError.self) { try await queue.run(client: two) { _ in } }
        #expect(error?.code == .resourceExhausted)
        latch.open()
        for task in tasks { try await task.value }
        try await queue.run(client: two) { _ in }
    }

    @Test("a queue in which nobody may wait still serves one call at a time")
    func noWaiting() async throws {
        let queue = InferenceQueue(limit: 0)
        try await queue.run(client: one) { _ in }
        let latch = Latch()
        let blocker = await occupy(queue, one, latch)
        await #expect(throws: ServiceError.self) { try await queue.run(client: one) { _ in } }
        latch.open()
        try await blocker.value
    }

    @Test("one heavy call with checkpoints does not keep fifty small ones waiting", arguments: [true, false])
    func starvation(ofOneClient: Bool) async throws {
        let clock = HandClock()
        let queue = InferenceQueue(permits: 1, limit: 256, quantum: .milliseconds(50), now: { clock.now })
        let pieces = Counter()
        let record = Record<Int>()
        let heavy = Task {
            try await queue.run(client: ClientID(0)) { turn in
                blockingUntil { queue.waiting == 50 }
                for _ in 0..<1000 {
                    clock.advance(10)
                    pieces.add()
                    try turn.checkpoint()
                }
                record.add(-1)
            }
        }
        await until { queue.running == 1 }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 1...50 {
                group.addTask {
                    try await queue.run(client: ClientID(ofOneClient ? 7 : UInt64(index))) { _ in
                        clock.advance(1)
                        record.add(pieces.value)
                    }
                }
            }
            try await group.waitForAll()
        }
        try await heavy.value
        // Five pieces make the heavy call's quantum; then all of the small ones go before its sixth.
        #expect(record.all == Array(repeating: 5, count: 50) + [-1])
    }

    @Test("two heavy calls take turns, and neither gets further ahead than a quantum")
    func turns() async throws {
        let clock = HandClock()
        let queue = InferenceQueue(permits: 1, limit: 256, quantum: .milliseconds(50), now: { clock.now })
        let record = Record<UInt64>()
        let latch = Latch()
        let blocker = await occupy(queue, ClientID(9), latch)
        var tasks: [Task<Void, any Error>] = [blocker]
        for client: UInt64 in 1...2 {
            tasks.append(
                Task {
                    try await queue.run(client: ClientID(client)) { turn in
                        for _ in 0..<4 {
                            record.add(client)
                            clock.advance(51)
                            try turn.checkpoint()
                        }
                    }
                })
            await until { queue.waiting == Int(client) }
        }
        latch.open()
        for task in tasks { try await task.value }
        // At equal use a call goes on, so each but the first turn is two pieces.
        #expect(record.all == [1, 2, 2, 1, 1, 2, 2, 1])
    }

    @Test("a suspended call lets others compute and takes its turn again afterwards")
    func suspended() async throws {
        let queue = InferenceQueue()
        let latch = Latch()
        let record = Record<String>()
        let suspended = Counter()
        let slow = Task {
            try await queue.run(client: one) { turn -> Int in
                let value = try turn.suspended {
                    suspended.add()
                    latch.wait()
                    return 7
                }
                record.add("slow, \(queue.running) computes")
                return value
            }
        }
        await until { suspended.value == 1 }
        try await queue.run(client: two) { _ in record.add("other") }
        latch.open()
        #expect(try await slow.value == 7)
        #expect(record.all == ["other", "slow, 1 computes"])
    }

    @Test("suspending and checkpoints inside of a suspended body change nothing")
    func nested() async throws {
        let queue = InferenceQueue()
        let seen = try await queue.run(client: one) { turn -> [Int] in
            let inside = try turn.suspended {
                try turn.checkpoint()
                return try turn.suspended { queue.running }
            }
            return [inside, queue.running]
        }
        #expect(seen == [0, 1])
    }

    @Test("what a suspended body throws is thrown, and the call still has its permit")
    func suspendedError() async throws {
        struct Gone: Error {}
        let queue = InferenceQueue()
        let held = try await queue.run(client: one) { turn -> Int in
            do { try turn.suspended { () throws -> Void in throw Gone() } } catch is Gone {}
            return queue.running
        }
        #expect(held == 1)
        #expect(queue.running == 0)
    }
}

@Suite("Ends of calls in the inference queue", .timeLimit(.minutes(2))) struct InferenceQueueEndTests {
    private let one = ClientID(1), two = ClientID(2)

    private func code(_ task: Task<some Any, any Error>) async -> ErrorCode? {
        do {
            _ = try await task.value
            return nil
        } catch { return (error as? ServiceError)?.code }
    }

    @Test("a deadline that has passed is told before any work")
    func pastDeadline() async throws {
        let queue = InferenceQueue()
        let began = Counter()
        let error = await #expect(throws: ServiceError.self) {
            try await queue.run(client: one, deadline: .now - .seconds(1)) { _ in began.add()
            }
        }
        #expect(error?.code == .deadlineExceeded)
        #expect(began.value == 0)
    }

    @Test("a deadline that passes while a call waits takes it out of the queue")
    func deadlineWhileWaiting() async throws {
        let queue = InferenceQueue()
        let latch = Latch()
        let blocker = Task { try await queue.run(client: one) { _ in latch.wait() } }
        await until { queue.running == 1 }
        let error = await #expect(throws: ServiceError.self) {
            try await queue.run(client: two, deadline: .now + .milliseconds(20)) { _ in }
        }
        #expect(error?.code == .deadlineExceeded)
        #expect(queue.waiting == 0)
        latch.open()
        try await blocker.value
    }

    @Test("a deadline that passes while a call computes is seen at its next checkpoint")
    func deadlineWhileRunning() async throws {
        let clock = HandClock()
        let queue = InferenceQueue(permits: 1, limit: 4, quantum: .milliseconds(50), now: { clock.now })
        let deadline = clock.now + .seconds(5)
        let task = Task {
            try await queue.run(client: one, deadline: deadline) { turn -> Int in
                try turn.checkpoint()
                #expect(!turn.isCancelled)
                clock.advance(5000)
                #expect(turn.isCancelled)
                try turn.checkpoint()
                return 1
            }
        }
        #expect(await code(task) == .deadlineExceeded)
        #expect(queue.running == 0)
    }

    @Test("a deadline that passes while a call waits for its permit back ends it there")
    func deadlineWhileReturning() async throws {
        let queue = InferenceQueue()
        let latch = Latch()
        let task = Task {
            try await queue.run(client: one, deadline: .now + .milliseconds(200)) { turn in
                try turn.suspended { blockingUntil { queue.running == 1 } }
            }
        }
        let blocker = Task { try await queue.run(client: two) { _ in latch.wait() } }
        #expect(await code(task) == .deadlineExceeded)
        #expect(queue.waiting == 0)
        latch.open()
        try await blocker.value
        #expect(queue.running == 0)
    }

    @Test("a call that is cancelled before it comes does no work")
    func cancelledBefore() async throws {
        let queue = InferenceQueue()
        let task = Task {
            await until { Task.isCancelled }
            try await queue.run(client: one) { _ in _ = Issue.record("it ran") }
        }
        task.cancel()
        #expect(await code(task) == .cancelled)
        #expect(queue.running == 0 && queue.waiting == 0)
    }

    @Test("a call that is cancelled while it waits leaves at once")
    func cancelledWaiting() async throws {
        let queue = InferenceQueue()
        let latch = Latch()
        let blocker = Task { try await queue.run(client: one) { _ in latch.wait() } }
        await until { queue.running == 1 }
        let task = Task { try await queue.run(client: two) { _ in _ = Issue.record("it ran") } }
        await until { queue.waiting == 1 }
        task.cancel()
        #expect(await code(task) == .cancelled)
        #expect(queue.waiting == 0 && queue.running == 1)
        latch.open()
        try await blocker.value
    }

    @Test("a call that is cancelled while it computes ends at its next checkpoint")
    func cancelledRunning() async throws {
        let queue = InferenceQueue()
        let task = Task {
            try await queue.run(client: one) { turn in
                blockingUntil { turn.isCancelled }
                try turn.checkpoint()
                Issue.record("it went on")
            }
        }
        await until { queue.running == 1 }
        task.cancel()
        #expect(await code(task) == .cancelled)
        #expect(queue.running == 0)
    }

    @Test("a call that is cancelled while it has handed over ends there, and the other goes on")
    func cancelledReturning() async throws {
        let clock = HandClock()
        let queue = InferenceQueue(permits: 1, limit: 4, quantum: .milliseconds(50), now: { clock.now })
        let latch = Latch()
        let task = Task {
            try await queue.run(client: one) { turn in
                blockingUntil { queue.waiting == 1 }
                clock.advance(60)
                try turn.checkpoint()
                Issue.record("it went on")
            }
        }
        await until { queue.running == 1 }
        let began = Counter()
        let other = Task {
            try await queue.run(client: two) { _ in
                began.add()
                latch.wait()
            }
        }
        await until { began.value == 1 }
        task.cancel()
        #expect(await code(task) == .cancelled)
        #expect(queue.running == 1 && queue.waiting == 0)
        latch.open()
        try await other.value
    }

    @Test("a call that is cancelled while it is suspended ends when it comes back")
    func cancelledSuspended() async throws {
        let queue = InferenceQueue()
        let latch = Latch()
        let suspended = Counter()
        let task = Task {
            try await queue.run(client: one) { turn in
                try turn.suspended {
                    suspended.add()
                    latch.wait()
                }
                Issue.record("it went on")
            }
        }
        await until { suspended.value == 1 }
        task.cancel()
        latch.open()
        #expect(await code(task) == .cancelled)
        #expect(queue.running == 0 && queue.waiting == 0)
    }

    @Test("a thousand calls that are cancelled anywhere leave neither permit nor waiter behind", arguments: [1, 3])
    func noLeak(permits: Int) async throws {
        let queue = InferenceQueue(permits: permits, limit: 64, quantum: .microseconds(10))
        var generator = SeededGenerator(seed: UInt64(permits))
        var ends: [ErrorCode?: Int] = [:]
        for _ in 0..<20 {
            var tasks: [Task<Void, any Error>] = []
            for index in 0..<50 {
                let pieces = Int.random(in: 0...20, using: &generator)
                let deadline: ContinuousClock.Instant? = index % 7 == 0 ? .now + .microseconds(200 * pieces) : nil
                tasks.append(
                    Task {
                        try await queue.run(client: ClientID(UInt64(index % 5)), deadline: deadline) { turn in
                            for piece in 0..<pieces {
                                usleep(20)
                                if piece % 5 == 4 { _ = try turn.suspended { usleep(50) } }
                                try turn.checkpoint()
                            }
                        }
                    })
            }
            for _ in 0..<40 {
                tasks[Int.random(in: 0..<50, using: &generator)].cancel()
                if Bool.random(using: &generator) { await Task.yield() }
            }
            for task in tasks { ends[await code(task), default: 0] += 1 }
            #expect(queue.running == 0 && queue.waiting == 0)
        }
        #expect(ends.values.reduce(0, +) == 1000)
        #expect(ends[.cancelled, default: 0] > 0)
        #expect(try await queue.run(client: one) { _ in 1 } == 1)
    }
}
