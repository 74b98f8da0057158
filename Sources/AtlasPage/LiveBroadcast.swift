import Foundation
import Synchronization

/// What happens, to all pages that watch: each gets it in order, and one that is too slow loses the oldest of it.
///
/// A page that comes later is told first what was kept: text, not values.
public final class LiveBroadcast: Sendable {
    /// Events that wait for one page at most; and that are kept for pages to come.
    static let most = 512, mostKept = 2000

    private struct State {
        var watchers: [UInt64: AsyncStream<Data>.Continuation] = [:]
        var next: UInt64 = 0
        var kept: [Data] = []
    }
    private let state = Mutex(State())

    public init() {}

    /// - Parameter isKept: whether pages that come later need it.
    public func publish(_ json: Data, isKept: Bool) {
        state.withLock { state in
            if isKept {
                state.kept.append(json)
                if state.kept.count > Self.mostKept { state.kept.removeFirst(Self.mostKept / 4) }
            }
            for watcher in state.watchers.values { watcher.yield(json) }
        }
    }

    /// What was kept is no part of what comes now.
    public func forget() { state.withLock { $0.kept = [] } }

    public var watchers: Int { state.withLock(\.watchers.count) }

    func watch() -> AsyncStream<Data> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Data.self, bufferingPolicy: .bufferingNewest(Self.most + Self.mostKept))
        state.withLock { state in
            let number = state.next
            state.next += 1
            continuation.onTermination = { [weak self] _ in
                self?.state.withLock { _ = $0.watchers.removeValue(forKey: number) }
            }
            for event in state.kept { continuation.yield(event) }
            state.watchers[number] = continuation
        }
        return stream
    }

    /// Says nothing, to keep connections open.
    func beat() { state.withLock { state in for watcher in state.watchers.values { watcher.yield(Data()) } } }
}
