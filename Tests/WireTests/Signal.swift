import Foundation
import Synchronization
import Wire

/// Something that happens once, and tests that wait for it. A test that waits for what never comes is ended by its limit.
final class Signal: Sendable {
    private let state = Mutex((isSet: false, waiters: [CheckedContinuation<Void, Never>]()))

    var isSet: Bool { state.withLock { $0.isSet } }

    func set() {
        let waiters = state.withLock { state in
            state.isSet = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isSet = state.withLock { state in
                if !state.isSet { state.waiters.append(continuation) }
                return state.isSet
            }
            if isSet { continuation.resume() }
        }
    }
}

/// Waits for what another thread brings about, and nothing tells of.
func eventually(_ condition: () -> Bool) async throws {
    while !condition() { try await Task.sleep(for: .milliseconds(5)) }
}

extension WireError {
    /// What open calls end with when their connection is gone.
    static let connectionLost = WireError(.unavailable, "the connection was closed", reason: "unavailable")
}

enum SystemUser { static var id: UInt32 { geteuid() } }
