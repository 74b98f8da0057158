import Messages
import Wire

/// Lists of recordings over the wire.
struct RecordingsHandler {
    let service: RecordingsService

    var methods: [ServerMethod] {
        [
            V1.RecordingsRPC.list.handle { request, answers, context in
                try context.limit(milliseconds: request.deadlineMs)
                let request = try context.resolving(request, service.engine.store.service)
                let started = V1.Started(subscriptionId: context.subscriptionID)
                try await answers.send(V1.RecordingsEvent(event: .started(started)))
                let end = try await service.list(request, connection: context.connection) {
                    try answers.sendBlocking(V1.RecordingsEvent(event: $0))
                }
                try await answers.send(V1.RecordingsEvent(event: .end(end)))
            }
        ]
    }
}
