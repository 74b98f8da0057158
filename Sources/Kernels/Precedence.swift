import Foundation
import Synchronization

/// Lets urgent work go before other work, between two tasks of that.
///
/// The other work's threads wait, so that the cores are the urgent one's. They do not wait for ever: one that holds what urgent work
/// needs goes on after a while.
final class Precedence: Sendable {
    private let urgent = Atomic<Int>(0)
    private let ended = NSCondition()
    private let patience: Double

    /// - Parameter patience: seconds that a task waits at most.
    init(patience: Double = 0.1) { self.patience = patience }

    func begin() { urgent.wrappingAdd(1, ordering: .releasing) }

    func end() {
        guard urgent.wrappingSubtract(1, ordering: .releasing).newValue == 0 else { return }
        // Under the lock: who has seen it and waits is woken.
        ended.withLock { ended.broadcast() }
    }

    /// Waits while something urgent is done; costs next to nothing where nothing is.
    func giveWay() {
        guard urgent.load(ordering: .relaxed) > 0 else { return }
        let latest = Date(timeIntervalSinceNow: patience)
        ended.withLock {
            while urgent.load(ordering: .acquiring) > 0, ended.wait(until: latest) {}
        }
    }
}
