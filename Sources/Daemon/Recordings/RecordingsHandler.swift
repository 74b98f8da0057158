import Messages
import Wire

/// Lists of recordings over the wire.
struct RecordingsHandler {
    let service: RecordingsService

    var methods: [ServerMethod] {
        [
            V1.RecordingsRPC.list.handle { request, answers, context in
                try context.limit(milliseconds: request.deadlineMs)
                let wanted = try RecordingsService.Request(
                    context.resolving(request, service.engine.store.service))
                let started = V1.Started(subscriptionId: context.subscriptionID)
                try await answers.send(V1.RecordingsEvent(event: .started(started)))
                let end = try await service.list(wanted, connection: context.connection) {
                    try answers.sendBlocking(V1.RecordingsEvent(event: .init($0)))
                }
                try await answers.send(V1.RecordingsEvent(event: .end(V1.RecordingSet(end))))
            }
        ]
    }
}
