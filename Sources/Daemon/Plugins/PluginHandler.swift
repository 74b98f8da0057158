import DataSets
import Foundation
import Messages
import PluginHost
import Synchronization
import Wire

/// The analyses over the wire.
struct PluginHandler {
    let service: PluginService

    var methods: [ServerMethod] {
        [
            V1.PluginRPC.list.handle { request, _ in
                V1.PluginList(plugins: try await blocking { service.list(first: request.folders) })
            },
            V1.PluginRPC.describe.handle { request, _ in
                try await blocking { try service.describe(request.id, first: request.folders) }
            },
            V1.PluginRPC.run.handle { request, answers, context in
                try context.limit(milliseconds: request.deadlineMs)
                let folder = try context.folder(service.engine.store.service)
                let request = try await blocking { try service.resolving(request, folder) }
                try await stream(answers, context) { emit in
                    try await service.run(
                        request, client: context.client, deadline: context.deadline, connection: context.connection,
                        emit: emit)
                }
            },
            V1.PluginRPC.merge.handle { request, answers, context in
                try context.limit(milliseconds: request.deadlineMs)
                let request = try context.resolving(request, service.engine.store.service)
                try await stream(answers, context) { emit in
                    try await service.merge(
                        request, client: context.client, deadline: context.deadline, connection: context.connection,
                        emit: emit)
                }
            },
            V1.PluginRPC.uploadState.collect { chunks, context in try await upload(chunks, context) },
            V1.PluginRPC.validate.handle { request, answers, context in
                let request = try context.resolving(request, service.engine.store.service)
                let started = V1.Started(subscriptionId: context.subscriptionID)
                try await answers.send(V1.ValidatePluginEvent(event: .started(started)))
                let end = try await service.validate(request, client: context.client, deadline: context.deadline) {
                    try answers.sendBlocking(V1.ValidatePluginEvent(event: .check($0)))
                }
                try await answers.send(V1.ValidatePluginEvent(event: .end(end)))
            },
        ]
    }

    private func upload(
        _ chunks: RequestStream<V1.StateChunk>, _ context: CallContext
    ) async throws -> V1.UploadedState {
        let spool = try service.engine.uploads.begin(connection: context.connection, encoding: .file)
        for try await chunk in chunks { try await blocking { try spool.write(chunk.data) } }
        return V1.UploadedState(uploadId: try spool.finish(), bytes: spool.bytes)
    }

    private func stream(
        _ answers: ResponseStream<V1.PluginEvent>, _ context: CallContext,
        _ work: (@escaping @Sendable (V1.PluginEvent.Event) throws -> Void) async throws -> V1.PluginEnd
    ) async throws {
        let started = V1.Started(subscriptionId: context.subscriptionID)
        try await answers.send(V1.PluginEvent(event: .started(started)))
        let numbered = NumberedEvents(answers)
        let end = try await work { try numbered.send($0) }
        try await answers.send(V1.PluginEvent(seq: numbered.last + 1, event: .end(end)))
    }
}

/// Events with their numbers, in their order, from any thread that may block. A reader that is slow holds them up.
private final class NumberedEvents: Sendable {
    private let answers: ResponseStream<V1.PluginEvent>
    private let seq = Mutex<UInt64>(0)

    init(_ answers: ResponseStream<V1.PluginEvent>) { self.answers = answers }

    var last: UInt64 { seq.withLock { $0 } }

    func send(_ event: V1.PluginEvent.Event) throws {
        try seq.withLock { seq in
            try answers.sendBlocking(V1.PluginEvent(seq: seq + 1, event: event))
            seq += 1
        }
    }
}
