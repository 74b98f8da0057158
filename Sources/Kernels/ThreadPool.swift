import CProcessor
import Dispatch
import Foundation
import Synchronization

/// Threads that wait for work without spinning, and take tasks one by one from a shared count.
///
/// Spinning would make an idle moment cheaper by a few microseconds, and collapse where another process has a core.
/// The thread that calls works too, so a pool of n has n − 1 threads, made when work first comes. A thread that the system
/// refuses is done without, and one that has not woken when all tasks are done is not waited for.
///
/// Some systems, virtual machines' above all, begin a thread that is woken on the core of the one that woke it, and find it another only
/// milliseconds later: by then a short piece of work is over. So the helpers are kept off the caller's core while they work for it.
final class ThreadPool: Sendable {
    /// One piece of work: its tasks, how far they are, and how many helpers are at it.
    private final class Work: @unchecked Sendable {
        // Sendable: helpers read `body` only between coming and leaving, and `close` returns when all have left.
        let count: Int
        private var body: ((Int) -> Void)?
        private let precedence: Precedence?
        private let next = Atomic<Int>(0)
        /// Helpers that came and have not left; below zero when no more may come.
        private let helpers = Atomic<Int>(0)

        init(count: Int, precedence: Precedence?, body: @escaping (Int) -> Void) {
            self.count = count
            self.precedence = precedence
            self.body = body
        }

        // Not inlined: so that it has let go of `body` when it returns.
        @inline(never) func take() {
            guard let body else { return }
            while true {
                precedence?.giveWay()
                let task = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard task < count else { return }
                body(task)
            }
        }

        /// A helper's part; none where it comes too late.
        /// - Returns: whether the one who closed this waits for it.
        func help() -> Bool {
            var seen = helpers.load(ordering: .relaxed), hasCome = false
            while !hasCome {
                guard seen >= 0 else { return false }
                (hasCome, seen) = helpers.compareExchange(expected: seen, desired: seen + 1, ordering: .acquiring)
            }
            take()
            return helpers.wrappingSubtract(1, ordering: .releasing).newValue == Int.min
        }

        /// No helper may come any more.
        /// - Parameter wait: waits for the last of those who did, where there are any.
        func close(_ wait: () -> Void) {
            if helpers.wrappingAdd(.min, ordering: .acquiringAndReleasing).oldValue > 0 { wait() }
            body = nil
        }
    }

    private struct State {
        var helpers = 0
        var isStarted = false
        var work: Work?
        /// The helpers, by the system's numbers, and the core that they are kept off.
        var helperThreads: [Int32] = []
        var coreKeptFree: Int32 = -1
    }

    private let threads: Int
    private let precedence: Precedence?
    private let around: @Sendable (() -> Void) -> Void
    private let state = Mutex(State())
    private let isBusy = Atomic<Bool>(false)
    private let start = DispatchSemaphore(value: 0)
    private let done = DispatchSemaphore(value: 0)

    /// - Parameters:
    ///   - precedence: whose work goes before each task here.
    ///   - around: what the helpers' work is called in.
    init(
        threads: Int, givingWayTo precedence: Precedence? = nil,
        around: @escaping @Sendable (() -> Void) -> Void = { $0() }
    ) {
        self.threads = threads
        self.precedence = precedence
        self.around = around
    }

    /// Runs `body` for each of `0 ..< count`; on this thread alone where the pool is taken, as by a task of its own.
    func run(_ count: Int, _ body: (Int) -> Void) {
        guard count > 1, isBusy.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged else {
            return alone(count, body)
        }
        defer { isBusy.store(false, ordering: .releasing) }
        withoutActuallyEscaping(body) { body in
            let work = Work(count: count, precedence: precedence, body: body)
            for _ in 0..<min(begin(work), count - 1) { start.signal() }
            work.take()
            work.close { done.wait() }
            state.withLock { $0.work = nil }
        }
    }

    /// Runs all tasks on this thread.
    func alone(_ count: Int, _ body: (Int) -> Void) {
        for task in 0..<count {
            precedence?.giveWay()
            body(task)
        }
    }

    /// Lays the work out; how many threads will come for it.
    private func begin(_ work: Work) -> Int {
        state.withLock { state in
            if !state.isStarted {
                state.isStarted = true
                for _ in 1..<threads where Self.detach({ self.around { self.serve() } }) { state.helpers += 1 }
            }
            state.work = work
            let core = processor_core()
            if core != state.coreKeptFree, state.helperThreads.count == state.helpers {
                state.coreKeptFree = core
                for thread in state.helperThreads { processor_keep_off(thread, core) }
            }
            return state.helpers
        }
    }

    private func serve() {
        state.withLock { $0.helperThreads.append(processor_thread()) }
        while true {
            start.wait()
            if state.withLock({ $0.work })?.help() == true { done.signal() }
        }
    }

    /// A thread with the stack that a plugin's or a test's thread has as well; false where the system refuses one.
    private static func detach(_ body: @escaping @Sendable () -> Void) -> Bool {
        var thread = pthread_t()
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, 1 << 20)
        let start = Unmanaged.passRetained(ThreadStart(body))
        let failed = pthread_create(
            &thread, &attributes,
            { argument in
                Unmanaged<ThreadStart>.fromOpaque(argument!).takeRetainedValue().body()
                return nil
            }, start.toOpaque())
        if failed != 0 { start.release() }
        return failed == 0
    }

    private final class ThreadStart {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
