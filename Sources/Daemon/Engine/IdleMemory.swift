import Dispatch
import CDescriptors
import Kernels
import Synchronization

/// Gives memory back to the system when nothing has computed for a while.
///
/// Passes keep what they computed in for the next, and the allocator keeps what was freed; a daemon that waits needs neither.
final class IdleMemory: Sendable {
    private let isPending = Atomic<Bool>(false)
    private let calls = Atomic<Int>(0)
    private let delay: DispatchTimeInterval
    private let letGo: @Sendable () -> Void

    /// - Parameter letGo: called before memory is given back, to let go what is kept for calls that follow at once.
    init(after delay: DispatchTimeInterval = .seconds(2), letGo: @escaping @Sendable () -> Void = {}) {
        self.delay = delay
        self.letGo = letGo
    }

    /// Called when the last call has ended; gives memory back where nothing has computed for some seconds then.
    /// - Parameter isIdle: whether nothing computes or waits then; where something does, its end calls this again.
    func rest(_ isIdle: @escaping @Sendable () -> Bool) {
        calls.add(1, ordering: .relaxed)
        guard isPending.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged else { return }
        wait(isIdle)
    }

    private func wait(_ isIdle: @escaping @Sendable () -> Bool) {
        let before = calls.load(ordering: .relaxed)
        DispatchQueue.global(qos: .utility).asyncAfter(deadline: .now() + delay) { [self] in
            // Other calls have ended meanwhile, and may be followed by more.
            guard calls.load(ordering: .relaxed) == before else { return wait(isIdle) }
            isPending.store(false, ordering: .relaxed)
            guard isIdle() else { return }
            letGo()
            Self.giveBack()
        }
    }

    /// What is free goes back to the system.
    static func giveBack() {
        FloatMemory.trim()
        auscult_memory_trim()
    }
}
