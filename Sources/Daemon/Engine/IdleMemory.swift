import Dispatch
import CDescriptors
import Kernels
import Synchronization

/// Gives memory back to the system when nothing has computed for a while.
///
/// Passes keep what they computed in for the next, and the allocator keeps what was freed; a daemon that waits needs neither.
final class IdleMemory: Sendable {
    private let isPending = Atomic<Bool>(false)
    private let delay: DispatchTimeInterval

    init(after delay: DispatchTimeInterval = .seconds(2)) { self.delay = delay }

    /// Called when the last call has ended; gives memory back where nothing computes some seconds later.
    /// - Parameter isIdle: whether nothing computes or waits then; where something does, its end calls this again.
    func rest(_ isIdle: @escaping @Sendable () -> Bool) {
        guard isPending.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged else { return }
        DispatchQueue.global(qos: .utility).asyncAfter(deadline: .now() + delay) { [self] in
            isPending.store(false, ordering: .relaxed)
            guard isIdle() else { return }
            FloatMemory.trim()
            auscult_memory_trim()
        }
    }
}
