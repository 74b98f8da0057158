import COpenBLAS
import Dispatch
import Foundation

/// Work shared out over the machine's cores.
///
/// One pool only: OpenBLAS is told to stay on the thread that calls it, so that its threads and ours
/// never fight over a core. What a task computes does not depend on the number of threads.
public enum Parallel {
    /// Threads that share a piece of work; `AUSCULT_THREADS` overrides the number of cores.
    public static let threads: Int = {
        openblas_set_num_threads(1)
        let asked = ProcessInfo.processInfo.environment["AUSCULT_THREADS"].flatMap(Int.init)
        return max(1, min(asked ?? ProcessInfo.processInfo.activeProcessorCount, 256))
    }()

    /// Runs `body` once for each task in `0 ..< count`, in any order, on all threads; returns after the last.
    public static func forEach(_ count: Int, _ body: (Int) -> Void) {
        guard count > 1, threads > 1 else { return (0..<count).forEach(body) }
        // A thread takes the next task when it is free, so uneven tasks still fill all threads.
        withoutActuallyEscaping(body) { body in
            let shared = UncheckedSendable(body)
            DispatchQueue.concurrentPerform(iterations: count) { shared.value($0) }
        }
    }

    /// Splits `0 ..< count` into ranges of `block` (the last may be shorter) and runs `body` for each.
    public static func blocks(of block: Int, in count: Int, _ body: (Range<Int>) -> Void) {
        precondition(block > 0)
        forEach((count + block - 1) / block) { task in
            body(task * block..<min(count, (task + 1) * block))
        }
    }
}

/// Carries a value past the compiler's check: the tasks of `Parallel.forEach` end before it returns, and
/// each writes only what is its own.
private struct UncheckedSendable<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}
