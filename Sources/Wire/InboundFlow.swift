import NIOCore
import Synchronization

/// Stops reading a connection while too much that it caused waits: messages for those who asked for them, and answers
/// that it does not fetch.
///
/// All streams of a connection share its bytes, so one that is not read holds up the others: a client that may be slow
/// with one subscription gives it a connection of its own.
final class InboundFlow: Sendable {
    /// What anything that waits costs besides its bytes, about: empty messages must not fill the memory either.
    static let overhead = 128

    private let channel: any Channel
    private let limit: Int
    private let state = Mutex((waiting: 0, isPaused: false))

    init(_ channel: any Channel, limit: Int) {
        self.channel = channel
        self.limit = limit
    }

    /// Something of `size` bytes waits.
    func arrived(_ size: Int) {
        let pauses = state.withLock { state in
            state.waiting += size + Self.overhead
            guard state.waiting > limit, !state.isPaused else { return false }
            state.isPaused = true
            return true
        }
        if pauses { apply() }
    }

    /// Something of `size` bytes waits no more. It may be said before ``arrived(_:)`` was: only the sum counts.
    func taken(_ size: Int) {
        let resumes = state.withLock { state in
            state.waiting -= size + Self.overhead
            guard state.isPaused, state.waiting <= limit / 2 else { return false }
            state.isPaused = false
            return true
        }
        if resumes { apply() }
    }

    /// Brings the channel to the state, on its event loop only: two threads that each set what they saw could leave it
    /// reading while the state says that it is paused.
    private func apply() {
        guard channel.eventLoop.inEventLoop else { return channel.eventLoop.execute { self.apply() } }
        let isPaused = state.withLock { $0.isPaused }
        channel.setOption(ChannelOptions.autoRead, value: !isPaused).whenFailure { _ in
            // The channel is closed: there is nothing to read any more.
        }
    }
}
