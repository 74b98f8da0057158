import Kernels
import Messages
import Whisper

extension ModelReference {
    /// - Throws: ``ServiceError`` (`invalidArgument`) for a precision that nobody knows.
    init(_ message: V1.ModelRef?) throws {
        self.init(
            message?.name.nonEmpty, vocabulary: message?.vocabulary.nonEmpty,
            precision: try Precision(message?.precision))
    }
}

extension ModelStore {
    /// The model that a request names.
    func model(_ reference: V1.ModelRef?) throws -> LoadedModel { try model(ModelReference(reference)) }
}

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
    init(_ hook: ModelCatalogue.Hook) {
        let point = hook.point
        self.init(
            name: point.name, stack: point.stack.rawValue, layer: point.layer.map { UInt32(clamping: $0) },
            axes: point.axes, shape: hook.shape.map { UInt64(clamping: $0) },
            positionsPerSecond: point.position.perSecond)
    }
}

extension V1.ModelInfo {
    init(_ facts: ModelCatalogue.Facts) {
        self.init(
            name: facts.name, format: facts.format, dimensions: V1.Dimensions(facts.dimensions), sha256: facts.digest,
            hasVocabulary: facts.hasVocabulary, languages: facts.languages, windowSeconds: facts.windowSeconds,
            alignmentHeads: facts.alignmentHeads.map {
                V1.AttentionHead(layer: UInt32(clamping: $0.layer), head: UInt32(clamping: $0.head))
            },
            resident: facts.isResident, memoryBytes: facts.weightBytes, precision: facts.precision.message)
    }
}

extension V1.Token {
    init(_ piece: ModelCatalogue.WordPiece) {
        self.init(
            id: Int32(clamping: piece.id), bytes: piece.bytes, text: String(decoding: piece.bytes, as: UTF8.self),
            special: piece.isSpecial)
    }
}

extension V1.ModelListing {
    init(_ entry: ModelCatalogue.Entry) {
        let listing = entry.listing
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
            problem: listing.problem ?? "", resident: entry.isResident)
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
    init(_ file: String, _ progress: DownloadProgress) {
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
