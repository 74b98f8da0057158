import Audio
import Kernels
import Whisper

/// The models that there are, what is inside of them, and their words.
struct ModelCatalogue: Sendable {
    let service: ModelService
    let store: ModelStore

    /// A model that can be named, and whether its weights are in memory.
    struct Entry {
        let listing: ModelListing
        let isResident: Bool
    }

    /// What is known about one model.
    struct Facts {
        let name: String
        let format: String
        let dimensions: ModelDimensions
        let digest: String
        let hasVocabulary: Bool
        let languages: [String]
        let windowSeconds: Double
        let alignmentHeads: [GenerationConfig.AlignmentHead]
        let isResident: Bool
        let weightBytes: UInt64
        let precision: Precision
    }

    /// A place in the forward pass, and what an activation there would be with so many tokens.
    struct Hook {
        let point: HookPoint
        let shape: [Int]
    }

    /// A token and what it stands for.
    struct WordPiece {
        let id: Int
        /// Of a special token, those of its name.
        let bytes: [UInt8]
        let isSpecial: Bool

        fileprivate init(_ id: Int, _ tokenizer: Tokenizer) {
            let special = tokenizer.specialName(of: id)
            self.id = id
            bytes = special.map { Array($0.utf8) } ?? tokenizer.bytes(of: [id])
            isSpecial = special != nil
        }
    }

    func list() throws -> [Entry] {
        let resident = Set(store.residents().map(\.name))
        return try service.list().map { Entry(listing: $0, isResident: resident.contains($0.name)) }
    }

    /// Takes a model out of the registry, and out of memory.
    func remove(_ name: String) throws -> RegisteredModel {
        let model = try service.remove(name)
        store.forget(model.name)
        return model
    }

    /// Whether what there is to say about a model is in memory.
    func knows(_ reference: ModelReference) -> Bool {
        store.opened(reference.name, vocabulary: reference.vocabulary, precision: reference.precision)?.isDescribed
            == true
    }

    func facts(of reference: ModelReference) throws -> Facts {
        let model = try store.model(reference)
        let tokenizer = model.checkpoint.vocabulary == nil ? nil : try model.tokenizer()
        return Facts(
            name: model.name, format: model.checkpoint.format.rawValue, dimensions: model.dimensions,
            digest: try model.digest(), hasVocabulary: tokenizer != nil,
            // The .en models' vocabularies have the tokens of all languages, and were trained on none of them.
            languages: tokenizer.map { $0.isMultilingual ? $0.languages.map(\.code) : [] } ?? [],
            windowSeconds: Double(model.dimensions.windowSamples) / Double(SampleBuffer.sampleRate),
            alignmentHeads: try model.checkpoint.generation.alignmentHeads(in: model.dimensions),
            isResident: model.isResident, weightBytes: model.weightBytes, precision: model.precision)
    }

    /// The hook points that a name, glob or alias means, in the order of the forward pass.
    /// - Throws: ``ServiceError`` (`invalidArgument`) for more tokens than the model reads; ``WhisperError`` for a name of none.
    func hooks(of reference: ModelReference, matching pattern: String, tokens: Int) throws -> [Hook] {
        let dimensions = try store.model(reference).dimensions
        guard tokens <= dimensions.nTextCtx else {
            throw ServiceError(
                .invalidArgument,
                "\(tokens) tokens are more than the model's context of \(dimensions.nTextCtx)")
        }
        return try HookPoint.matching(pattern, in: dimensions)
            .map { Hook(point: $0, shape: $0.shape(in: dimensions, tokens: tokens)) }
    }

    // MARK: - Words

    /// - Parameter parseSpecial: whether `<|name|>` means the special token of that name.
    func tokens(of text: String, _ reference: ModelReference, parseSpecial: Bool) throws -> [WordPiece] {
        let tokenizer = try store.model(reference).tokenizer()
        let ids = parseSpecial ? tokenizer.encodeWithSpecials(text) : tokenizer.encode(text)
        return ids.map { WordPiece($0, tokenizer) }
    }

    /// - Throws: ``ServiceError`` (`invalidArgument`) for an id that is no token.
    func tokens(_ ids: [Int], _ reference: ModelReference) throws -> [WordPiece] {
        let model = try store.model(reference)
        let tokenizer = try model.tokenizer()
        let count = model.dimensions.nVocab
        if let stray = ids.first(where: { !(0..<count).contains($0) }) {
            throw ServiceError(.invalidArgument, "token \(stray) is outside the vocabulary of \(count) tokens")
        }
        return ids.map { WordPiece($0, tokenizer) }
    }
}
