import Synchronization

/// Who needs the daemon: connections and jobs. Tells when nobody has for a while.
final class DaemonUse: Sendable {
    enum User: Hashable {
        case connection(UInt64)
        case job(UInt64)
    }

    /// Nil for a daemon that never leaves by itself.
    private let timer: IdleTimer<ContinuousClock>?
    private let users = Mutex<Set<User>>([])

    /// - Parameter idleExit: seconds; 0 for never.
    init(idleExit: Double) { timer = idleExit > 0 ? IdleTimer(after: .seconds(idleExit)) : nil }

    func begin(_ user: User) {
        guard let timer, timer.begin() else { return }
        users.withLock { _ = $0.insert(user) }
    }

    /// Of one that came too late to count, nothing.
    func end(_ user: User) {
        guard users.withLock({ $0.remove(user) }) != nil else { return }
        timer?.end()
    }

    /// Returns when nobody has needed the daemon for long enough; never where it stays.
    /// - Throws: `CancellationError`.
    func waitUntilIdle() async throws {
        if let timer { try await timer.wait() } else { try await Task.sleep(for: .seconds(1e9)) }
    }
}
