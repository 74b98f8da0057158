import Messages
import Wire

/// Models over the wire: the registry, what is inside a model, and its words.
struct ModelHandler {
    let catalogue: ModelCatalogue
    private var service: ModelService { catalogue.service }

    var methods: [ServerMethod] {
        [
            V1.ModelRPC.list.handle { _, _ in
                try await blocking { V1.ModelList(models: try catalogue.list().map(V1.ModelListing.init)) }
            },
            V1.ModelRPC.info.handle { request, context in
                let reference = try ModelReference(context.resolving(request, service))
                return V1.ModelInfo(try await ready(reference) { try catalogue.facts(of: reference) })
            },
            V1.ModelRPC.hooks.handle { request, context in
                let request = try context.resolving(request, service)
                let reference = try ModelReference(request.model)
                let hooks = try await ready(reference) {
                    try catalogue.hooks(
                        of: reference, matching: request.pattern.nonEmpty ?? "*", tokens: max(1, Int(request.tokens)))
                }
                return V1.HookList(hooks: hooks.map(V1.HookPoint.init))
            },
            V1.ModelRPC.tokenize.handle { request, context in
                try await blocking {
                    let request = try context.resolving(request, service)
                    let pieces = try catalogue.tokens(
                        of: request.text, ModelReference(request.model), parseSpecial: request.parseSpecial)
                    return V1.TokenList(tokens: pieces.map(V1.Token.init))
                }
            },
            V1.ModelRPC.detokenize.handle { request, context in
                try await blocking {
                    let request = try context.resolving(request, service)
                    let pieces = try catalogue.tokens(request.ids.map { Int($0) }, ModelReference(request.model))
                    return V1.DetokenizedText(
                        text: String(decoding: pieces.flatMap(\.bytes), as: UTF8.self),
                        tokens: pieces.map(V1.Token.init))
                }
            },
            V1.ModelRPC.add.handle { request, context in
                try await blocking {
                    let request = try context.resolving(request, service)
                    var warnings: [String] = []
                    let model = try service.add(
                        request.path, name: request.name.nonEmpty, vocabulary: request.vocabulary.nonEmpty,
                        warn: { warnings.append($0) })
                    return V1.RegisteredModel(model, warnings: warnings)
                }
            },
            V1.ModelRPC.remove.handle { request, _ in
                try await blocking {
                    V1.RegisteredModel(try catalogue.remove(request.name))
                }
            },
            V1.ModelRPC.pull.handle { request, answers, context in
                try await pull(request, answers, context)
            },
        ]
    }

    /// At once where the model is in memory, since files are not waited for then; otherwise on a thread that may block.
    private func ready<R: Sendable>(
        _ reference: ModelReference, _ body: @escaping @Sendable () throws -> R
    ) async throws -> R {
        catalogue.knows(reference) ? try body() : try await blocking(body)
    }

    // MARK: - Downloads

    private func pull(
        _ request: V1.PullModelRequest, _ answers: ResponseStream<V1.PullModelEvent>, _ context: CallContext
    ) async throws {
        try await answers.send(V1.PullModelEvent(event: .started(V1.Started(subscriptionId: context.subscriptionID))))
        let (events, feed) = AsyncStream.makeStream(
            of: V1.PullModelEvent.self, bufferingPolicy: .bufferingNewest(64))
        let service = service.using(mirror: request.mirror.nonEmpty)
        let model = try await withThrowingTaskGroup(of: RegisteredModel?.self) { group in
            group.addTask {
                defer { feed.finish() }
                return try await service.pull(request.name) { file, progress in
                    feed.yield(V1.PullModelEvent(file, progress))
                }
            }
            for await event in events { try await answers.send(event) }
            return try await group.next() ?? nil
        }
        if let model { try await answers.send(V1.PullModelEvent(event: .done(V1.RegisteredModel(model)))) }
    }
}
