import Messages
import Synchronization

/// What a job keeps of a plugin's run.
final class CollectedResults: Sendable {
    /// Bytes of results that one job keeps.
    private static let limit = 256 << 20

    private struct State {
        var results = V1.PluginResults()
        var bytes = 0
    }

    private let state = Mutex(State())

    /// - Throws: ``ServiceError`` (`resourceExhausted`) where the results are more than a daemon should keep.
    func take(_ event: V1.PluginEvent.Event) throws {
        try state.withLock { state in
            switch event {
            case .description(let description): state.results.description = description
            case .skipped(let skipped): state.results.skipped.append(skipped)
            case .result(let result):
                state.bytes += result.packedSize
                guard state.bytes <= Self.limit else {
                    throw ServiceError(
                        .resourceExhausted,
                        "the results have more than \(Self.limit) bytes, which a job keeps; run the plugin as a stream")
                }
                state.results.results.append(result)
            default: break
            }
        }
    }

    func results(_ end: V1.PluginEnd) -> V1.PluginResults {
        state.withLock { state in
            state.results.end = end
            return state.results
        }
    }
}

extension WorkProgress {
    init(_ message: V1.Progress) {
        self.init(done: message.done, total: message.total, unit: message.unit, label: message.label)
    }
}
