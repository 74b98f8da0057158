import Atlas
import Messages
import Wire

/// Atlases over the wire.
struct AtlasHandler {
    let service: AtlasService

    private var models: ModelService { service.plugins.engine.store.service }

    /// The most features in one answer.
    static let greatestPage: UInt32 = 500

    var methods: [ServerMethod] {
        [
            V1.AtlasRPC.build.handle { request, answers, context in try await build(request, answers, context) },
            V1.AtlasRPC.show.handle { request, context in
                let path = try context.folder(models).absolute(request.path)
                return try await blocking { V1.AtlasScanList(scans: try service.scans(path).map(V1.AtlasScan.init)) }
            },
            V1.AtlasRPC.search.handle { request, context in
                let path = try context.folder(models).absolute(request.path)
                let query = try AtlasQuery(request)
                return try await blocking {
                    let page = try service.atlas(path).features(query)
                    return V1.AtlasFeatureList(
                        total: UInt64(clamping: page.total), rows: page.rows.map(V1.AtlasFeatureRow.init))
                }
            },
            V1.AtlasRPC.card.handle { request, context in
                let path = try context.folder(models).absolute(request.path)
                let feature = AtlasService.FeatureReference(request, path: path)
                return try await blocking { V1.AtlasCard(try service.card(feature)) }
            },
            V1.AtlasRPC.listen.handle { request, context in
                let path = try context.folder(models).absolute(request.feature?.path ?? "")
                let wanted = try AtlasService.ListenRequest(request, path: path)
                return try await blocking { V1.ExcerptFile(try service.listen(wanted), request.format) }
            },
        ]
    }

    private func build(
        _ request: V1.BuildAtlasRequest, _ answers: ResponseStream<V1.BuildAtlasEvent>, _ context: CallContext
    ) async throws {
        try context.limit(milliseconds: request.run?.deadlineMs ?? 0)
        let folder = try context.folder(models)
        let wanted = try await blocking { try AtlasBuildRequest(request, in: folder, service.plugins) }
        try await answers.send(V1.BuildAtlasEvent(event: .started(V1.Started(subscriptionId: context.subscriptionID))))
        let scan = try await service.build(
            wanted, client: context.client, deadline: context.deadline, connection: context.connection
        ) { event in
            guard let event = V1.BuildAtlasEvent.Event(event) else { return }
            try answers.sendBlocking(V1.BuildAtlasEvent(event: event))
        }
        try await answers.send(V1.BuildAtlasEvent(event: .done(V1.AtlasScan(scan))))
    }
}

extension V1.BuildAtlasEvent.Event {
    /// What of a run's events is told of a build.
    fileprivate init?(_ event: RunEvent) {
        switch event {
        case .progress(let progress): self = .progress(V1.Progress(progress))
        case .log(let log): self = .log(V1.PluginLog(log))
        case .skipped(let skipped): self = .skipped(V1.SkippedRecording(skipped))
        default: return nil
        }
    }
}
