import Foundation
import Kernels
import Messages
import Wire
import Whisper

/// Models over the wire: the registry, what is inside a model, and its words.
struct ModelHandler {
    let service: ModelService
    let store: ModelStore

    var methods: [ServerMethod] {
        [
            V1.ModelRPC.list.handle { _, _ in try await blocking { try list() } },
            V1.ModelRPC.info.handle { request, context in
                try await blocking { try info(context.resolving(request, service)) }
            },
            V1.ModelRPC.hooks.handle { request, context in
                try await blocking { try hooks(context.resolving(request, service)) }
            },
            V1.ModelRPC.tokenize.handle { request, context in
                try await blocking { try tokenize(context.resolving(request, service)) }
            },
            V1.ModelRPC.detokenize.handle { request, context in
                try await blocking { try detokenize(context.resolving(request, service)) }
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
                    let model = try service.remove(request.name)
                    store.forget(model.name)
                    return V1.RegisteredModel(model)
                }
            },
            V1.ModelRPC.pull.handle { request, answers, context in
                try await pull(request, answers, context)
            },
        ]
    }

    private func list() throws -> V1.ModelList {
        let resident = Set(store.residents().map(\.name))
        return V1.ModelList(
            models: try service.list().map { V1.ModelListing($0, isResident: resident.contains($0.name)) })
    }

    private func info(_ reference: V1.ModelRef) throws -> V1.ModelInfo {
        let model = try store.model(reference)
        let tokenizer = model.checkpoint.vocabulary == nil ? nil : try model.tokenizer()
        return V1.ModelInfo(
            name: model.name, format: model.checkpoint.format.rawValue, dimensions: V1.Dimensions(model.dimensions),
            sha256: try model.digest(), hasVocabulary: tokenizer != nil,
            languages: tokenizer?.languages.map(\.code) ?? [],
            windowSeconds: Double(model.dimensions.windowSamples) / 16000,
            alignmentHeads: try model.checkpoint.generation.alignmentHeads(in: model.dimensions).map {
                V1.AttentionHead(layer: UInt32(clamping: $0.layer), head: UInt32(clamping: $0.head))
            },
            resident: model.isResident, memoryBytes: model.weightBytes, precision: model.precision.message)
    }

    private func hooks(_ request: V1.HooksRequest) throws -> V1.HookList {
        let dimensions = try store.model(request.model).dimensions
        let tokens = max(1, Int(request.tokens))
        guard tokens <= dimensions.nTextCtx else {
            throw ServiceError(
                .invalidArgument,
                "\(tokens) tokens are more than the model's context of \(dimensions.nTextCtx)")
        }
        let points = try HookPoint.matching(request.pattern.nonEmpty ?? "*", in: dimensions)
        return V1.HookList(hooks: points.map { V1.HookPoint($0, dimensions, tokens: tokens) })
    }

    // MARK: - Words

    private func tokenize(_ request: V1.TokenizeRequest) throws -> V1.TokenList {
        let tokenizer = try store.model(request.model).tokenizer()
        let ids = request.parseSpecial ? tokenizer.encodeWithSpecials(request.text) : tokenizer.encode(request.text)
        return V1.TokenList(tokens: ids.map { V1.Token($0, tokenizer) })
    }

    private func detokenize(_ request: V1.DetokenizeRequest) throws -> V1.DetokenizedText {
        let model = try store.model(request.model)
        let tokenizer = try model.tokenizer()
        let count = model.dimensions.nVocab
        if let stray = request.ids.first(where: { !(0..<count).contains(Int($0)) }) {
            throw ServiceError(.invalidArgument, "token \(stray) is outside the vocabulary of \(count) tokens")
        }
        let tokens = request.ids.map { V1.Token(Int($0), tokenizer) }
        return V1.DetokenizedText(
            text: String(decoding: tokens.flatMap(\.bytes), as: UTF8.self), tokens: tokens)
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

extension ModelStore {
    /// The model that a request names.
    func model(_ reference: V1.ModelRef?) throws -> LoadedModel {
        try model(
            reference?.name.nonEmpty, vocabulary: reference?.vocabulary.nonEmpty,
            precision: Precision(reference?.precision))
    }

    /// The same, for somebody who runs it.
    func lease(_ reference: V1.ModelRef?) throws -> ModelLease {
        try lease(
            reference?.name.nonEmpty, vocabulary: reference?.vocabulary.nonEmpty,
            precision: Precision(reference?.precision))
    }
}

extension String {
    /// The string, or nil for an empty one: what is absent in a message.
    var nonEmpty: String? { isEmpty ? nil : self }
}

// MARK: - Values

extension V1.Dimensions {
    init(_ dimensions: ModelDimensions) {
        func size(_ value: Int) -> UInt32 { UInt32(clamping: value) }
        self.init(
            nMels: size(dimensions.nMels), nAudioCtx: size(dimensions.nAudioCtx),
            nAudioState: size(dimensions.nAudioState), nAudioHead: size(dimensions.nAudioHead),
            nAudioLayer: size(dimensions.nAudioLayer), nVocab: size(dimensions.nVocab),
            nTextCtx: size(dimensions.nTextCtx), nTextState: size(dimensions.nTextState),
            nTextHead: size(dimensions.nTextHead), nTextLayer: size(dimensions.nTextLayer))
    }
}

extension V1.HookPoint {
    init(_ point: HookPoint, _ dimensions: ModelDimensions, tokens: Int) {
        self.init(
            name: point.name, stack: point.stack.rawValue, layer: point.layer.map { UInt32(clamping: $0) },
            axes: point.axes, shape: point.shape(in: dimensions, tokens: tokens).map { UInt64(clamping: $0) },
            positionsPerSecond: point.position.perSecond)
    }
}

extension V1.Token {
    init(_ id: Int, _ tokenizer: Tokenizer) {
        let special = tokenizer.specialName(of: id)
        let bytes = special.map { Array($0.utf8) } ?? tokenizer.bytes(of: [id])
        self.init(
            id: Int32(clamping: id), bytes: bytes, text: String(decoding: bytes, as: UTF8.self),
            special: special != nil)
    }
}

extension V1.ModelListing {
    init(_ listing: ModelListing, isResident: Bool) {
        let state: V1.ModelState =
            switch listing.state {
            case .embedded: .embedded
            case .registered: .registered
            case .downloaded: .downloaded
            case .released: .released
            }
        self.init(
            name: listing.name, state: state, format: listing.format ?? "", path: listing.path ?? "",
            vocabulary: listing.vocabulary ?? "", dimensions: listing.dimensions.map(V1.Dimensions.init),
            problem: listing.problem ?? "", resident: isResident)
    }
}

extension V1.RegisteredModel {
    init(_ model: RegisteredModel, warnings: [String] = []) {
        self.init(
            name: model.name, path: model.path, vocabulary: model.vocabulary ?? "", sha256: model.sha256 ?? "",
            downloaded: model.downloaded, warnings: warnings)
    }
}

extension V1.PullModelEvent {
    fileprivate init(_ file: String, _ progress: DownloadProgress) {
        switch progress {
        case .receiving(let done, let total):
            self.init(
                event: .progress(
                    V1.Progress(done: Double(done), total: Double(total ?? 0), unit: "bytes", label: file)))
        case .verifying: self.init(event: .verifying(file))
        case .retrying(let reason): self.init(event: .retrying("\(file): \(reason)"))
        }
    }
}
