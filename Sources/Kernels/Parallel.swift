import Foundation

/// Work shared out over the machine's cores.
///
/// One pool only: OpenBLAS is told to stay on the thread that calls it, so that its threads and ours
/// never fight over a core. What a task computes does not depend on the number of threads.
public enum Parallel {
    /// Threads that share a piece of work; `AUSCULT_THREADS` overrides the number of cores.
    public static let threads: Int = {
        BLASLibrary.keepToCallingThread()
        let asked = ProcessInfo.processInfo.environment["AUSCULT_THREADS"].flatMap(Int.init)
        return max(1, min(asked ?? ProcessInfo.processInfo.activeProcessorCount, 256))
    }()

    private static let precedence = Precedence()
    private static let pool = ThreadPool(threads: threads, givingWayTo: precedence)
    /// Its helpers' work is urgent as well.
    private static let urgentPool = ThreadPool(threads: threads) { $isUrgent.withValue(true, operation: $0) }

    /// Runs `body` once for each task in `0 ..< count`, in any order, on all threads; returns after the last.
    ///
    /// Within a task of another call, while another call has the threads, and in ``onCallingThread(_:)``, all tasks run on
    /// the calling thread.
    public static func forEach(_ count: Int, _ body: (Int) -> Void) {
        let pool = isUrgent ? urgentPool : pool
        guard count > 1, threads > 1, !staysOnThread else { return pool.alone(count, body) }
        pool.run(count, body)
    }

    @TaskLocal private static var staysOnThread = false
    @TaskLocal private static var isUrgent = false

    /// Runs `body`, whose work stays on this thread: what is prepared beside something that computes is not to take the
    /// threads away from it.
    public static func onCallingThread<Result>(_ body: () throws -> Result) rethrows -> Result {
        try $staysOnThread.withValue(true, operation: body)
    }

    /// Runs `body`, whose work is short and does not wait: all other work pauses meanwhile, where it is between two tasks, and its
    /// threads leave the cores to this one's and to those of a pool of its own.
    public static func urgently<Result>(_ body: () throws -> Result) rethrows -> Result {
        precedence.begin()
        defer { precedence.end() }
        return try $isUrgent.withValue(true, operation: body)
    }

    /// The same for tasks that may fail: the error of the first task, by its number, is thrown after all have ended.
    /// A task that has not begun when another fails may be left out.
    public static func forEach(_ count: Int, throwing body: (Int) throws -> Void) throws {
        let failure = FirstFailure()
        forEach(count) { task in
            guard !failure.precedes(task) else { return }
            do { try body(task) } catch { failure.record(error, task) }
        }
        if let error = failure.error { throw error }
    }

    /// Splits `0 ..< count` into ranges of `block` (the last may be shorter) and runs `body` for each.
    public static func blocks(of block: Int, in count: Int, _ body: (Range<Int>) -> Void) {
        precondition(block > 0)
        forEach((count + block - 1) / block) { task in
            body(task * block..<min(count, (task + 1) * block))
        }
    }
}

/// The error of the earliest task that failed.
private final class FirstFailure: @unchecked Sendable {
    // Sendable: both fields are read and written under the lock.
    private let lock = NSLock()
    private var task = Int.max
    private var stored: (any Error)?

    var error: (any Error)? { lock.withLock { stored } }

    func precedes(_ other: Int) -> Bool { lock.withLock { task < other } }

    func record(_ error: any Error, _ task: Int) {
        lock.withLock {
            guard task < self.task else { return }
            self.task = task
            self.stored = error
        }
    }
}
