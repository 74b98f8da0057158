import Files
import Foundation

/// The one thread that starts the processes of plugins and of whoever else serves the daemon, and never ends.
///
/// PR_SET_PDEATHSIG is sent when the *thread* that started a process ends, so a process started from a pool's thread
/// would be killed whenever the pool shrinks.
package final class ProcessStarter: Sendable {
    package static let shared = ProcessStarter()

    // Sendable: all sides touch the rest with the condition's lock held only.
    private final class Queue: @unchecked Sendable {
        let condition = NSCondition()
        var work: [@Sendable () -> Void] = []
        var isServed = false

        func serve() {
            while true {
                condition.lock()
                while work.isEmpty { condition.wait() }
                let next = work.removeFirst()
                condition.unlock()
                next()
            }
        }
    }
    private let queue = Queue()

    private init() {}

    /// Runs `body` on that thread, and waits for it.
    /// - Throws: ``Files/FileError`` (`resourceExhausted`) where the system gives no thread.
    package func run(_ body: @escaping @Sendable () -> Void) throws {
        let done = DispatchSemaphore(value: 0)
        queue.condition.lock()
        do {
            if !queue.isServed { try SystemThread.start(stackBytes: 512 << 10) { [queue] in queue.serve() } }
            queue.isServed = true
        } catch {
            queue.condition.unlock()
            throw error
        }
        queue.work.append {
            body()
            done.signal()
        }
        queue.condition.signal()
        queue.condition.unlock()
        done.wait()
    }
}
