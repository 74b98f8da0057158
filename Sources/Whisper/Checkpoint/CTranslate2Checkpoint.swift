import TensorFiles

/// A folder of CTranslate2, as faster-whisper uses them: `model.bin`, `config.json`, and a tokenizer or a vocabulary.
///
/// Tensors that CTranslate2 fused are views of their rows. Whole numbers with scales are divided when they are read.
struct CTranslate2Checkpoint {
    private static let specification = "WhisperSpec"
    private static let revision: UInt32 = 3

    private let file: CTranslate2File

    init(_ bytes: FileBytes) throws {
        file = try CTranslate2File(bytes)
        guard file.specification == Self.specification, file.revision == Self.revision else {
            throw WhisperError(
                .unsupported,
                "\(bytes.name) is a \(file.specification) of revision \(file.revision); expected a \(Self.specification) "
                    + "of revision \(Self.revision), which a current ctranslate2 converts a Whisper to")
        }
    }

    /// Reads sizes and names; the weights stay in their file.
    func open(folder: any FileTree, vocabulary: VocabularySource) throws -> Checkpoint {
        let dimensions = try dimensions()
        try checkArchitecture()
        let words = try vocabulary.load(beside: folder, nVocab: dimensions.nVocab)
        return Checkpoint(
            format: .cTranslate2, dimensions: dimensions,
            weights: try TensorTable(try tensors(), dimensions: dimensions, file: file.name),
            vocabulary: words, generation: try generation(folder, dimensions, words))
    }

    // MARK: Sizes

    private func dimensions() throws -> ModelDimensions {
        let filters = try shape("encoder/conv1/weight", rank: 3)
        let frames = try shape("encoder/position_encodings/encodings", rank: 2)
        let tokens = try shape("decoder/position_encodings/encodings", rank: 2)
        let embedding = try shape(CTranslate2Names.embedding, rank: 2)
        let dimensions = ModelDimensions(
            nMels: filters[1], nAudioCtx: frames[0], nAudioState: filters[0],
            nAudioHead: try number("encoder/num_heads"),
            nAudioLayer: layers("encoder"), nVocab: embedding[0], nTextCtx: tokens[0], nTextState: embedding[1],
            nTextHead: try number("decoder/num_heads"), nTextLayer: layers("decoder"))
        try dimensions.check(file: file.name)
        return dimensions
    }

    private func shape(_ name: String, rank: Int) throws -> [Int] {
        guard let tensor = file.tensors[name] else {
            throw WhisperError(.dataLoss, "\(file.name) has no variable '\(name)'")
        }
        guard tensor.shape.count == rank else {
            throw WhisperError(
                .dataLoss, "\(file.name): '\(name)' has the shape \(tensor.shape); expected \(rank) extents")
        }
        return tensor.shape
    }

    /// A scalar that is a whole number.
    private func number(_ name: String) throws -> Int {
        guard let value = try scalar(name), let number = Int(exactly: value) else {
            throw WhisperError(.dataLoss, "\(file.name): '\(name)' is missing, or not a whole number")
        }
        return number
    }

    private func scalar(_ name: String) throws -> Float? {
        guard let tensor = file.tensors[name], tensor.shape.isEmpty else { return nil }
        return try tensor.float32().elements.first
    }

    /// As many as there are numbers; ``TensorTable`` finds out where one is missing.
    private func layers(_ side: String) -> Int {
        let prefix = "\(side)/layer_"
        return Set(
            file.tensors.keys.filter { $0.hasPrefix(prefix) }.compactMap {
                Int($0.dropFirst(prefix.count).prefix { $0 != "/" })
            }
        ).count
    }

    /// Scalars that say which arithmetic is meant, where a converter writes them. Others, of which each converter has
    /// some of its own, change nothing.
    private static let architecture: [(name: String, value: Float, meaning: String)] = [
        ("activation", 3, "GELU by the error function"), ("pre_norm", 1, "normalisation before each part"),
        ("alibi", 0, "learned positions"), ("scale_embeddings", 0, "embeddings as they are"),
        ("start_from_zero_embedding", 0, "an embedding of the first token"),
    ]

    private func checkArchitecture() throws {
        for side in ["encoder", "decoder"] {
            for (name, value, meaning) in Self.architecture {
                guard let actual = try scalar("\(side)/\(name)"), actual != value else { continue }
                throw WhisperError(
                    .unsupported,
                    "\(file.name): '\(side)/\(name)' is \(actual); openai's architecture has \(value): \(meaning)")
            }
        }
    }

    // MARK: Tensors

    /// All tensors under openai's names; what has no such name keeps its own, and is refused later.
    private func tensors() throws -> [String: StoredTensor] {
        var tensors: [String: StoredTensor] = [:]
        for (name, stored) in file.tensors where !stored.shape.isEmpty && !isScale(name) {
            if name == CTranslate2Names.tiedOutput {
                try checkTied(stored)
                continue
            }
            let tensor = try scaled(stored, name)
            guard let parts = CTranslate2Names.openAI(name) else {
                tensors[name] = tensor
                continue
            }
            for (part, tensor) in zip(parts, try split(tensor, name, into: parts.count)) {
                if part.hasSuffix("attn.key.bias") { try checkZero(tensor, name, part) } else { tensors[part] = tensor }
            }
        }
        return tensors
    }

    private func isScale(_ name: String) -> Bool {
        name.hasSuffix(CTranslate2Names.scaleSuffix)
            && file.tensors[String(name.dropLast(CTranslate2Names.scaleSuffix.count))] != nil
    }

    /// Whole numbers with their scales; anything else as it is.
    private func scaled(_ tensor: StoredTensor, _ name: String) throws -> StoredTensor {
        // An alias of quantised weights has their scales.
        let suffix = CTranslate2Names.scaleSuffix
        let scale = file.tensors[name + suffix] ?? file.aliases[name].flatMap { file.tensors[$0 + suffix] }
        switch (tensor.type, scale) {
        case (.int8, let scale?), (.int16, let scale?): return tensor.divided(by: try RowScales(scale, of: tensor))
        case (.float32, nil), (.float16, nil), (.bfloat16, nil): return tensor
        default:
            let beside = scale == nil ? "without" : "with"
            throw WhisperError(
                .dataLoss,
                "\(file.name): '\(name)' is \(tensor.type.rawValue) \(beside) '\(name)\(suffix)'; "
                    + "I8 and I16 have scales, F32, F16 and BF16 have none")
        }
    }

    /// Equal parts, one under the other, not copied.
    private func split(_ tensor: StoredTensor, _ name: String, into count: Int) throws -> [StoredTensor] {
        guard count > 1 else { return [tensor] }
        let rows = tensor.shape[0] / count
        guard tensor.shape[0] == rows * count else {
            throw WhisperError(
                .dataLoss,
                "\(file.name): '\(name)' of shape \(tensor.shape) does not come apart into \(count) equal parts")
        }
        return try (0..<count).compactMap { try tensor.rows($0 * rows..<($0 + 1) * rows) }
    }

    private func checkZero(_ bias: StoredTensor, _ name: String, _ part: String) throws {
        guard try bias.float32().elements.allSatisfy({ $0 == 0 }) else {
            throw WhisperError(
                .unsupported, "\(file.name): '\(name)' has a bias of keys, \(part); openai's Whisper has none")
        }
    }

    private func checkTied(_ output: StoredTensor) throws {
        guard let embedding = file.tensors[CTranslate2Names.embedding], output.type == embedding.type,
            output.shape == embedding.shape, output.bytes.hasSameBytes(as: embedding.bytes)
        else {
            throw WhisperError(
                .unsupported,
                "\(file.name): \(CTranslate2Names.tiedOutput) differs from the token embedding; Whisper ties them")
        }
    }

    // MARK: Decoding

    /// What `config.json` says about decoding; older folders have none.
    private func generation(
        _ folder: any FileTree, _ dimensions: ModelDimensions, _ vocabulary: Vocabulary?
    ) throws -> GenerationConfig {
        guard let bytes = try folder.bytes(of: "config.json") else { return GenerationConfig() }
        let config = try HuggingFaceConfig(bytes)
        try checkLanguages(try config.integers("lang_ids") ?? [], vocabulary, bytes.name)
        return try config.generation(dimensions, suppressed: "suppress_ids", suppressedFirst: "suppress_ids_begin")
    }

    /// `lang_ids` are the tokens of languages: a tokenizer that has none there is another model's.
    private func checkLanguages(_ tokens: [Int], _ vocabulary: Vocabulary?, _ name: String) throws {
        guard let vocabulary, !tokens.isEmpty else { return }
        let special = Set(vocabulary.specialTokens.values)
        guard let stray = tokens.first(where: { !special.contains($0) }) else { return }
        throw WhisperError(
            .dataLoss,
            "\(name): 'lang_ids' has \(stray), which is no special token of the vocabulary; is that another model's?")
    }
}
