import CDescriptors
import Foundation

/// The one thread that starts the processes of plugins and of whoever else serves the daemon, and never ends.
///
/// PR_SET_PDEATHSIG is sent when the *thread* that started a process ends, so a process started from a pool's thread
/// would be killed whenever the pool shrinks.
package final class ProcessStarter: Sendable {
    package static let shared = ProcessStarter()

    // Sendable: both sides touch `work` with the condition's lock held only.
    private final class Queue: @unchecked Sendable {
        let condition = NSCondition()
        var work: [@Sendable () -> Void] = []
    }
    private let queue = Queue()

    private init() {
        let thread = Thread { [queue] in
            while true {
                queue.condition.lock()
                while queue.work.isEmpty { queue.condition.wait() }
                let next = queue.work.removeFirst()
                queue.condition.unlock()
                next()
            }
        }
        thread.name = "process-start"
        thread.stackSize = 512 << 10
        thread.start()
    }

    /// Runs `body` on that thread, and waits for it.
    package func run(_ body: @escaping @Sendable () -> Void) {
        let done = DispatchSemaphore(value: 0)
        queue.condition.lock()
        queue.work.append {
            body()
            done.signal()
        }
        queue.condition.signal()
        queue.condition.unlock()
        done.wait()
    }
}
