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
                V1.PluginList(
                    plugins: try await blocking { service.list(first: request.folders).map(V1.PluginListing.init) })
            },
            V1.PluginRPC.describe.handle { request, _ in
                try await blocking {
                    V1.PluginDescription(try service.describe(request.id, first: request.folders))
                }
            },
            V1.PluginRPC.run.handle { request, answers, context in
                try context.limit(milliseconds: request.deadlineMs)
                let folder = try context.folder(service.engine.store.service)
                let run = try await blocking { try RunRequest(request, in: folder, service) }
                try await stream(answers, context) { emit in
                    try await service.run(
                        run, client: context.client, deadline: context.deadline, connection: context.connection,
                        emit: emit)
                }
            },
            V1.PluginRPC.merge.handle { request, answers, context in
                try context.limit(milliseconds: request.deadlineMs)
                let merge = try MergeRequest(try context.resolving(request, service.engine.store.service))
                try await stream(answers, context) { emit in
                    try await service.merge(
                        merge, client: context.client, deadline: context.deadline, connection: context.connection,
                        emit: emit)
                }
            },
            V1.PluginRPC.uploadState.collect { chunks, context in try await upload(chunks, context) },
            V1.PluginRPC.validate.handle { request, answers, context in
                let folder = try context.folder(service.engine.store.service)
                let validation = try await blocking { try ValidationRequest(request, in: folder, service) }
                let started = V1.Started(subscriptionId: context.subscriptionID)
                try await answers.send(V1.ValidatePluginEvent(event: .started(started)))
                let end = try await service.validate(validation, client: context.client, deadline: context.deadline) {
                    try answers.sendBlocking(V1.ValidatePluginEvent(event: .check(V1.ValidationCheck($0))))
                }
                try await answers.send(V1.ValidatePluginEvent(event: .end(V1.ValidationEnd(end))))
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
        _ work: (@escaping @Sendable (RunEvent) throws -> Void) async throws -> RunEnd
    ) async throws {
        let started = V1.Started(subscriptionId: context.subscriptionID)
        try await answers.send(V1.PluginEvent(event: .started(started)))
        let numbered = NumberedEvents(answers)
        let end = try await work { try numbered.send($0) }
        try await answers.send(V1.PluginEvent(seq: numbered.last + 1, event: .end(V1.PluginEnd(end))))
    }
}

/// Events with their numbers, in their order, from any thread that may block. A reader that is slow holds them up.
private final class NumberedEvents: Sendable {
    private let answers: ResponseStream<V1.PluginEvent>
    private let seq = Mutex<UInt64>(0)

    init(_ answers: ResponseStream<V1.PluginEvent>) { self.answers = answers }

    var last: UInt64 { seq.withLock { $0 } }

    func send(_ event: RunEvent) throws {
        try seq.withLock { seq in
            try answers.sendBlocking(V1.PluginEvent(seq: seq + 1, event: .init(event)))
            seq += 1
        }
    }
}
