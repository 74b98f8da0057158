import Synchronization

/// Stops reading a connection while too much that it caused waits: messages for those who asked for them, and answers
/// that it does not fetch.
///
/// All streams of a connection share its bytes, so one that is not read holds up the others: a client that may be slow
/// with one subscription gives it a connection of its own.
final class InboundFlow: Sendable {
    /// What anything that waits costs besides its bytes, about: empty messages must not fill the memory either.
    static let overhead = 128

    private let limit: Int
    private let changed: @Sendable (InboundFlow) -> Void
    private let state = Mutex((waiting: 0, isPaused: false))

    /// - Parameter changed: called when ``isPaused`` has changed, by any thread: what it reads there is the present state.
    init(limit: Int, changed: @escaping @Sendable (InboundFlow) -> Void) {
        self.limit = limit
        self.changed = changed
    }

    /// Whether nothing is to be read for now.
    var isPaused: Bool { state.withLock { $0.isPaused } }

    /// Something of `size` bytes waits.
    func arrived(_ size: Int) {
        let pauses = state.withLock { state in
            state.waiting += size + Self.overhead
            guard state.waiting > limit, !state.isPaused else { return false }
            state.isPaused = true
            return true
        }
        if pauses { changed(self) }
    }

    /// Something of `size` bytes waits no more. It may be said before ``arrived(_:)`` was: only the sum counts.
    func taken(_ size: Int) {
        let resumes = state.withLock { state in
            state.waiting -= size + Self.overhead
            guard state.isPaused, state.waiting <= limit / 2 else { return false }
            state.isPaused = false
            return true
        }
        if resumes { changed(self) }
    }
}
