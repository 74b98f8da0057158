import Messages
import Synchronization
import Wire

/// Whether the daemon serves, and who wants to be told when that changes.
final class HealthState: Sendable {
    typealias Status = Health.HealthCheckResponse.ServingStatus

    private struct State {
        var status = Status.notServing
        var watchers: [Int: AsyncStream<Status>.Continuation] = [:]
        var next = 0
    }

    private let state = Mutex(State())

    var status: Status { state.withLock { $0.status } }

    func set(_ status: Status) {
        let watchers = state.withLock { state in
            state.status = status
            return Array(state.watchers.values)
        }
        for watcher in watchers { watcher.yield(status) }
    }

    /// The status now, and every later one; of those that a slow watcher missed, the last.
    func changes() -> AsyncStream<Status> {
        AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
            let id = state.withLock { state in
                state.next += 1
                state.watchers[state.next] = continuation
                continuation.yield(state.status)
                return state.next
            }
            continuation.onTermination = { [weak self] _ in
                self?.state.withLock { $0.watchers[id] = nil }
            }
        }
    }
}

/// gRPC's health checking.
struct HealthHandler {
    let state: HealthState
    /// The names that can be asked about, beside the empty one.
    let services: @Sendable () -> [String]

    var methods: [ServerMethod] {
        [
            Health.HealthRPC.check.handle { request, _ in
                guard isKnown(request.service) else {
                    throw WireError(.notFound, "there is no service \(request.service)", reason: "not_found")
                }
                return Health.HealthCheckResponse(status: state.status)
            }.alsoWhileDraining(),
            Health.HealthRPC.watch.handle { request, answers, _ in
                guard isKnown(request.service) else {
                    // By the protocol the call stays open, for the service might come.
                    try await answers.send(Health.HealthCheckResponse(status: .serviceUnknown))
                    try await Task.sleep(for: .seconds(1e9))
                    return
                }
                var last: HealthState.Status?
                for await status in state.changes() where status != last {
                    last = status
                    try await answers.send(Health.HealthCheckResponse(status: status))
                }
            }.untilDraining(),
        ]
    }

    private func isKnown(_ service: String) -> Bool { service.isEmpty || services().contains(service) }
}
