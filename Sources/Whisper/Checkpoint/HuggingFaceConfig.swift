import TensorFiles

/// `config.json` and `generation_config.json` of a Hugging Face folder.
struct HuggingFaceConfig {
    private let members: [String: JSONValue]
    private let file: String

    init(_ bytes: FileBytes) throws {
        guard let members = try JSONValue(parsing: bytes).object else {
            throw WhisperError(.dataLoss, "\(bytes.name) is not a JSON object")
        }
        self.members = members
        self.file = bytes.name
    }

    /// Whether it is CTranslate2's file of that name, which says how to decode and nothing of sizes.
    var isOfCTranslate2: Bool {
        members["d_model"] == nil && ["suppress_ids", "lang_ids"].contains { members[$0] != nil }
    }

    /// The model's sizes.
    /// - Throws: ``WhisperError``: `dataLoss` where one is missing or absurd; `unsupported` where the file describes
    ///   another architecture than openai's.
    func dimensions() throws -> ModelDimensions {
        try expect("model_type", .string("whisper"))
        try expect("activation_function", .string("gelu"))
        try expect("scale_embedding", .bool(false))
        try expect("tie_word_embeddings", .bool(true))
        let width = try size("d_model")
        let dimensions = ModelDimensions(
            nMels: try size("num_mel_bins"), nAudioCtx: try size("max_source_positions"), nAudioState: width,
            nAudioHead: try size("encoder_attention_heads"), nAudioLayer: try size("encoder_layers"),
            nVocab: try size("vocab_size"), nTextCtx: try size("max_target_positions"), nTextState: width,
            nTextHead: try size("decoder_attention_heads"), nTextLayer: try size("decoder_layers"))
        try dimensions.check(file: file)
        for name in ["encoder_ffn_dim", "decoder_ffn_dim"] { try expect(name, .integer(4 * width)) }
        return dimensions
    }

    /// The file's settings for decoding. Token ids that the model does not have are left out: there is nothing to
    /// suppress.
    /// - Parameters:
    ///   - suppressed: the key of tokens never to be sampled.
    ///   - suppressedFirst: the key of those not to be sampled first.
    func generation(
        _ dimensions: ModelDimensions, suppressed: String = "suppress_tokens",
        suppressedFirst: String = "begin_suppress_tokens"
    ) throws -> GenerationConfig {
        let (heads, stray) = try alignmentHeads(dimensions)
        var config = GenerationConfig(
            alignmentHeads: heads,
            suppressTokens: try integers(suppressed)?.filter { (0..<dimensions.nVocab).contains($0) },
            beginSuppressTokens: try integers(suppressedFirst)?.filter { (0..<dimensions.nVocab).contains($0) },
            maxInitialTimestampIndex: try optionalSize("max_initial_timestamp_index"))
        if stray > 0 {
            config.ignored = [
                "\(file): \(stray) of 'alignment_heads' are not below [\(dimensions.nTextLayer), \(dimensions.nTextHead)], "
                    + "the decoder's layers and heads, and were left out"
                    + (heads == nil ? "; words are timed by all heads of its last half" : "")
            ]
        }
        return config
    }

    private func size(_ name: String) throws -> Int {
        guard let value = members[name]?.int else {
            throw WhisperError(
                .dataLoss, "\(file): '\(name)' is \(members[name] == nil ? "missing" : "not an integer")")
        }
        return value
    }

    private func optionalSize(_ name: String) throws -> Int? {
        guard let value = members[name], !value.isNull else { return nil }
        guard let size = value.int, size >= 0 else {
            throw WhisperError(.dataLoss, "\(file): '\(name)' is not an integer from 0 up")
        }
        return size
    }

    /// A list of whole numbers; nil where the file has none of this name.
    func integers(_ name: String) throws -> [Int]? {
        guard let value = members[name], !value.isNull else { return nil }
        guard let integers = value.ints else {
            throw WhisperError(.dataLoss, "\(file): '\(name)' is not a list of integers")
        }
        return integers
    }

    /// Those that the model has, nil for none, and how many others there are: a distilled model comes with its teacher's,
    /// whose decoder had more layers.
    private func alignmentHeads(
        _ dimensions: ModelDimensions
    ) throws -> (heads: [GenerationConfig.AlignmentHead]?, stray: Int) {
        guard let value = members["alignment_heads"], !value.isNull else { return (nil, 0) }
        let pairs = (value.array ?? [.null]).map(\.ints)
        let heads = try pairs.compactMap { pair -> GenerationConfig.AlignmentHead? in
            guard let pair, pair.count == 2 else {
                throw WhisperError(.dataLoss, "\(file): 'alignment_heads' is not a list of [layer, head]")
            }
            guard (0..<dimensions.nTextLayer).contains(pair[0]), (0..<dimensions.nTextHead).contains(pair[1]) else {
                return nil
            }
            return GenerationConfig.AlignmentHead(layer: pair[0], head: pair[1])
        }
        return (heads.isEmpty ? nil : heads, pairs.count - heads.count)
    }

    /// Where the file states `name`, it must be `value`; all of these have that as their default.
    private func expect(_ name: String, _ value: JSONValue) throws {
        guard let actual = members[name], actual != value else { return }
        throw WhisperError(
            .unsupported, "\(file): '\(name)' is \(actual.short); a Whisper of openai's architecture has \(value.short)"
        )
    }
}

extension JSONValue {
    /// The value for an error message, lists and objects by their size.
    fileprivate var short: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .string(let value): "'\(value.prefix(80))'"
        case .array(let values): "a list of \(values.count)"
        case .object(let members): "an object of \(members.count)"
        }
    }
}

extension GenerationConfig {
    /// This, with what it leaves open taken from `other`.
    func filled(from other: GenerationConfig) -> GenerationConfig {
        var filled = GenerationConfig(
            alignmentHeads: alignmentHeads ?? other.alignmentHeads,
            suppressTokens: suppressTokens ?? other.suppressTokens,
            beginSuppressTokens: beginSuppressTokens ?? other.beginSuppressTokens,
            maxInitialTimestampIndex: maxInitialTimestampIndex ?? other.maxInitialTimestampIndex)
        filled.ignored = ignored + other.ignored
        return filled
    }
}
