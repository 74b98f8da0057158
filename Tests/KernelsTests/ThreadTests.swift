import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Kernels

/// Runs `body` on so many threads of their own at once, and waits for all of them.
private func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let done = DispatchSemaphore(value: 0)
    for thread in 0..<count {
        Thread.detachNewThread {
            body(thread)
            done.signal()
        }
    }
    for _ in 0..<count { done.wait() }
}

@Suite("Threads that share work")
struct ThreadTests {
    /// More threads than the machine has cores, so that they are taken from one another.
    private static let pool = ThreadPool(threads: 4)

    /// How often each task ran.
    private final class Counts: Sendable {
        private let counts: Mutex<[Int]>
        init(_ tasks: Int) { counts = Mutex([Int](repeating: 0, count: tasks)) }
        func count(_ task: Int) { counts.withLock { $0[task] += 1 } }
        var all: [Int] { counts.withLock { $0 } }
    }

    @Test("work that is to stay on its thread does, and only inside, errors and results come through")
    func onCallingThread() throws {
        struct Mishap: Error {}
        let here = pthread_self()
        let counts = Counts(50)
        let answer = Parallel.onCallingThread {
            Parallel.forEach(50) { task in
                counts.count(task)
                #expect(pthread_equal(here, pthread_self()) != 0)
            }
            return 7
        }
        #expect(answer == 7 && counts.all == [Int](repeating: 1, count: 50))
        #expect(throws: Mishap.self) { try Parallel.onCallingThread { throw Mishap() } }
        // Another thread is not held.
        Parallel.onCallingThread {
            onThreads(1) { _ in
                let other = Counts(20)
                Parallel.forEach(20) { other.count($0) }
                #expect(other.all == [Int](repeating: 1, count: 20))
            }
        }
    }

    /// The cores that the calling thread may run on, as Linux lists them; nil elsewhere.
    private static func allowedCores() -> Set<Int>? {
        guard let status = try? String(contentsOfFile: "/proc/thread-self/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("Cpus_allowed_list:") })
        else { return nil }
        return line.split(separator: ":")[1].split(separator: ",").reduce(into: []) { cores, part in
            let ends = part.split(separator: "-").compactMap { Int($0.trimmingCharacters(in: .whitespaces)) }
            if let first = ends.first, let last = ends.last { cores.formUnion(first...last) }
        }
    }

    @Test(
        "helpers are kept off one core, on which the caller may run, and the caller off none",
        .enabled(if: (allowedCores()?.count ?? 0) > 1, "of one core nothing can be kept free"))
    func helpersLeaveTheCallersCore() {
        onThreads(1) { _ in
            let before = Self.allowedCores()!, caller = pthread_self()
            let pool = ThreadPool(threads: 2)
            let helper = Mutex<Set<Int>?>(nil)
            // A helper that has only just begun is not known yet when the first work is given out.
            for _ in 0..<100 where helper.withLock({ $0 == nil || $0 == before }) {
                pool.run(20) { _ in
                    if pthread_equal(caller, pthread_self()) == 0 { helper.withLock { $0 = Self.allowedCores() } }
                    usleep(500)
                }
            }
            #expect(Self.allowedCores() == before)
            let allowed = helper.withLock { $0 } ?? []
            #expect(allowed.isSubset(of: before) && allowed.count == before.count - 1)
        }
    }

    @Test("helpers that have not come when all tasks are done are not waited for, and find nothing when they come")
    func lateHelpers() {
        let gate = DispatchSemaphore(value: 0)
        let pool = ThreadPool(threads: 3) { work in
            gate.wait()
            work()
        }
        let counts = Counts(20)
        let caller = pthread_self()
        for _ in 0..<50 {
            pool.run(20) { task in
                #expect(pthread_equal(caller, pthread_self()) != 0)
                counts.count(task)
            }
        }
        #expect(counts.all == [Int](repeating: 50, count: 20))
        for _ in 0..<2 { gate.signal() }
        // Now they come: for nothing fifty times, and then for their share.
        let hasHelped = Atomic<Bool>(false)
        for _ in 0..<1000 where !hasHelped.load(ordering: .relaxed) {
            pool.run(20) { task in
                if pthread_equal(caller, pthread_self()) == 0 { hasHelped.store(true, ordering: .relaxed) }
                counts.count(task)
                usleep(500)
            }
        }
        #expect(hasHelped.load(ordering: .relaxed) && Set(counts.all).count == 1)
    }

    @Test("no task is lost and none runs twice in ten thousand pieces of work")
    func nothingIsLost() {
        for round in 0..<10_000 {
            let tasks = 2 + round % 9
            let ran = Atomic<Int>(0), sum = Atomic<Int>(0)
            Self.pool.run(tasks) { task in
                ran.wrappingAdd(1, ordering: .relaxed)
                sum.wrappingAdd(1 << task, ordering: .relaxed)
            }
            guard ran.load(ordering: .relaxed) == tasks, sum.load(ordering: .relaxed) == 1 << tasks - 1 else {
                Issue.record("round \(round): \(ran.load(ordering: .relaxed)) of \(tasks) tasks")
                return
            }
        }
    }

    @Test("what a task writes is there when the work returns")
    func visibility() {
        for round in 0..<500 {
            var results = [Int](repeating: -1, count: 64)
            results.withUnsafeMutableBufferPointer { results in
                let out = Results(results.baseAddress!)
                Self.pool.run(64) { out.base[$0] = $0 * round }
            }
            #expect(results == (0..<64).map { $0 * round })
        }
    }

    /// Sendable: each task writes its own.
    private struct Results: @unchecked Sendable {
        let base: UnsafeMutablePointer<Int>
        init(_ base: UnsafeMutablePointer<Int>) { self.base = base }
    }

    @Test("work within a task runs on its thread, however deep")
    func nested() {
        let counts = Counts(4 * 5 * 3)
        Self.pool.run(4) { outer in
            let thread = pthread_self()
            Self.pool.run(5) { middle in
                Self.pool.run(3) { inner in
                    if pthread_equal(thread, pthread_self()) != 0 { counts.count((outer * 5 + middle) * 3 + inner) }
                }
            }
        }
        #expect(counts.all.allSatisfy { $0 == 1 })
    }

    @Test("callers at once are all served, each with all of its tasks")
    func concurrentCallers() {
        let counts = (0..<6).map { _ in Counts(17) }
        onThreads(6) { caller in
            for _ in 0..<200 { Self.pool.run(17) { counts[caller].count($0) } }
        }
        for counts in counts { #expect(counts.all == [Int](repeating: 200, count: 17)) }
    }

    @Test("a pool of one thread, and work of no task and of one, need no others")
    func alone() {
        for pool in [ThreadPool(threads: 1), Self.pool] {
            for tasks in [0, 1] {
                let counts = Counts(tasks)
                let thread = pthread_self()
                pool.run(tasks) { task in
                    #expect(pthread_equal(thread, pthread_self()) != 0)
                    counts.count(task)
                }
                #expect(counts.all == [Int](repeating: 1, count: tasks))
            }
        }
        let counts = Counts(20)
        ThreadPool(threads: 1).run(20, counts.count)
        #expect(counts.all == [Int](repeating: 1, count: 20))
    }

    @Test("urgent work goes between two tasks of other work, with threads of its own, and the other goes on after it")
    func urgent() {
        let ran = Atomic<Int>(0), isOver = Atomic<Bool>(false)
        let done = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            while !isOver.load(ordering: .relaxed) {
                Parallel.forEach(8) { _ in
                    usleep(200)
                    ran.wrappingAdd(1, ordering: .relaxed)
                }
            }
            done.signal()
        }
        while ran.load(ordering: .relaxed) < 10 { usleep(100) }
        let counts = Counts(4 * 3)
        let meanwhile = Parallel.urgently {
            // Tasks under way end.
            usleep(20_000)
            let before = ran.load(ordering: .relaxed)
            // Nested work of a helper is as urgent, and does not wait for itself.
            Parallel.forEach(4) { outer in Parallel.forEach(3) { counts.count(outer * 3 + $0) } }
            usleep(10_000)
            return ran.load(ordering: .relaxed) - before
        }
        // One who has waited for long goes on, so a machine that stands still may see one task.
        #expect(meanwhile <= Parallel.threads && counts.all == [Int](repeating: 1, count: 12))
        let after = ran.load(ordering: .relaxed)
        while ran.load(ordering: .relaxed) < after + 10 { usleep(100) }
        isOver.store(true, ordering: .relaxed)
        done.wait()
    }

    @Test("who waits for urgent work that never ends goes on after a while, and at once when it has ended")
    func patience() {
        let precedence = Precedence(patience: 0.001)
        let pool = ThreadPool(threads: 3, givingWayTo: precedence)
        let counts = Counts(10)
        precedence.begin()
        pool.run(10, counts.count)
        precedence.end()
        pool.run(10, counts.count)
        #expect(counts.all == [Int](repeating: 2, count: 10))
        // Nobody is woken too late: without that, a task would take an hour.
        let patient = Precedence(patience: 3600)
        onThreads(2) { thread in
            for _ in 0..<2000 {
                if thread == 0 {
                    patient.begin()
                    patient.end()
                } else {
                    patient.giveWay()
                }
            }
        }
    }

    private struct Failure: Error, Equatable { let task: Int }

    @Test("of several errors the first task's is thrown, every time, after all tasks have ended")
    func firstError() {
        for round in 0..<200 {
            let running = Atomic<Int>(0)
            #expect(throws: Failure(task: 3)) {
                try Parallel.forEach(40) { task in
                    running.wrappingAdd(1, ordering: .relaxed)
                    defer { running.wrappingSubtract(1, ordering: .relaxed) }
                    if task >= 3 && (task * 7 + round) % 3 == 0 || task == 3 { throw Failure(task: task) }
                }
            }
            #expect(running.load(ordering: .relaxed) == 0)
        }
    }

    @Test("tasks that fail leave none of the earlier ones out, and work after them is whole")
    func afterErrors() throws {
        let counts = Counts(30)
        #expect(throws: Failure.self) {
            try Parallel.forEach(30) { task in
                counts.count(task)
                if task >= 10 { throw Failure(task: task) }
            }
        }
        #expect(counts.all[..<11].allSatisfy { $0 == 1 } && counts.all.allSatisfy { $0 <= 1 })
        let whole = Counts(30)
        try Parallel.forEach(30) { task in whole.count(task) } as Void
        Parallel.forEach(0) { _ in Issue.record("there is no task") }
        #expect(whole.all == [Int](repeating: 1, count: 30))
    }

    @Test("blocks cover everything once, the last may be shorter", arguments: [0, 1, 7, 8, 9, 100])
    func blocks(count: Int) {
        let counts = Counts(count)
        Parallel.blocks(of: 8, in: count) { block in
            #expect(!block.isEmpty && block.count <= 8 && block.lowerBound % 8 == 0)
            for i in block { counts.count(i) }
        }
        #expect(counts.all == [Int](repeating: 1, count: count))
    }
}

@Suite("Memory that is kept for reuse")
struct FloatMemoryTests {
    @Test("is aligned, as large as asked for, and nobody else's", arguments: [0, 1, 15, 16, 17, 1000, 1 << 20])
    func scratch(count: Int) {
        FloatMemory.withScratch(count) { a in
            FloatMemory.withScratch(count) { b in
                #expect(UInt(bitPattern: a) % 64 == 0 && UInt(bitPattern: b) % 64 == 0 && a != b)
                for i in 0..<count { (a[i], b[i]) = (1, 2) }
                #expect((0..<count).allSatisfy { a[$0] == 1 && b[$0] == 2 })
            }
        }
    }

    @Test("threads that take and give at once never have the same")
    func threads() {
        let clashes = Atomic<Int>(0)
        onThreads(4) { thread in
            for round in 0..<2000 {
                let count = 100 + round % 3
                FloatMemory.withScratch(count) { memory in
                    for i in 0..<count { memory[i] = Float(thread) }
                    if (0..<count).contains(where: { memory[$0] != Float(thread) }) {
                        clashes.wrappingAdd(1, ordering: .relaxed)
                    }
                }
            }
        }
        #expect(clashes.load(ordering: .relaxed) == 0)
    }

    @Test("an error passes through, and the memory is given back")
    func errors() {
        struct Stop: Error {}
        #expect(throws: Stop.self) { try FloatMemory.withScratch(10) { _ in throw Stop() } }
    }

    /// Bytes of this process in memory.
    private static func resident() -> Int {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * sysconf(Int32(_SC_PAGESIZE))
    }

    @Test("is reused, kept up to the limit and no more, and given back when it is trimmed")
    func bounded() async {
        // In a process of its own, where nothing else takes memory. Blocks past 32 MiB go back to the system at once when they are freed.
        await #expect(processExitsWith: .success) {
            // Two of five eighths of the limit are more than it: one is kept.
            let bytes = FloatMemory.limit / 8 * 5, count = bytes / 4
            let first = FloatMemory.take(count), second = FloatMemory.take(count)
            first.update(repeating: 1, count: count)
            second.update(repeating: 2, count: count)
            let both = FloatMemoryTests.resident()
            FloatMemory.give(first, count)
            FloatMemory.give(second, count)
            let kept = FloatMemoryTests.resident()
            precondition(both - kept > bytes / 4 * 3 && both - kept < bytes / 4 * 5, "\(both) then \(kept)")
            precondition(FloatMemory.take(count) == first, "it was not reused")
            FloatMemory.give(first, count)
            FloatMemory.trim()
            let trimmed = FloatMemoryTests.resident()
            precondition(kept - trimmed > bytes / 4 * 3, "\(kept) then \(trimmed)")
            FloatMemory.trim()
            FloatMemory.withScratch(count) { $0[count - 1] = 1 }
        }
    }
}
