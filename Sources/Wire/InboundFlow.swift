import NIOCore
import Synchronization

/// Stops reading a connection while too many of its messages wait for those who asked for them.
///
/// All streams of a connection share its bytes, so one that is not read holds up the others: a client that may be slow
/// with one subscription gives it a connection of its own.
final class InboundFlow: Sendable {
    private let channel: any Channel
    private let limit: Int
    private let state = Mutex((waiting: 0, isPaused: false))

    init(_ channel: any Channel, limit: Int) {
        self.channel = channel
        self.limit = limit
    }

    func arrived(_ size: Int) {
        let pauses = state.withLock { state in
            state.waiting += size
            guard state.waiting > limit, !state.isPaused else { return false }
            state.isPaused = true
            return true
        }
        if pauses { setReading(false) }
    }

    func taken(_ size: Int) {
        let resumes = state.withLock { state in
            state.waiting -= size
            guard state.isPaused, state.waiting <= limit / 2 else { return false }
            state.isPaused = false
            return true
        }
        if resumes { setReading(true) }
    }

    private func setReading(_ reading: Bool) {
        channel.setOption(ChannelOptions.autoRead, value: reading).whenFailure { _ in
            // The channel is closed: there is nothing to read any more.
        }
    }
}
