import TensorFiles

/// A Hugging Face folder: `config.json`, the weights in one or several safetensors files, tokenizer files, and
/// `generation_config.json`.
struct HuggingFaceCheckpoint {
    let folder: any FileTree

    /// Reads sizes and headers; the weights stay in their files.
    /// - Parameter weights: the safetensors file to take instead of `model.safetensors`.
    func open(weights: String? = nil, vocabulary: VocabularySource) throws -> Checkpoint {
        guard let bytes = try folder.bytes(of: "config.json") else {
            throw WhisperError(
                .notFound,
                "\(folder.name) has no config.json; a Hugging Face folder has config.json and model.safetensors"
            )
        }
        let config = try HuggingFaceConfig(bytes)
        let dimensions = try config.dimensions()
        let tensors = try translated(try stored(weights))
        return Checkpoint(
            format: .huggingFace, dimensions: dimensions,
            weights: try TensorTable(tensors, dimensions: dimensions, file: folder.name),
            vocabulary: try vocabulary.load(beside: folder, nVocab: dimensions.nVocab),
            generation: try generation(config, dimensions))
    }

    /// `generation_config.json` first; older folders have the same keys in `config.json`.
    private func generation(_ config: HuggingFaceConfig, _ dimensions: ModelDimensions) throws -> GenerationConfig {
        let fallback = try config.generation(dimensions)
        guard let bytes = try folder.bytes(of: "generation_config.json") else { return fallback }
        return try HuggingFaceConfig(bytes).generation(dimensions).filled(from: fallback)
    }

    /// The tensors under the names that the files give them.
    private func stored(_ weights: String?) throws -> [String: StoredTensor] {
        if let weights {
            guard let bytes = try folder.bytes(of: weights) else {
                throw WhisperError(.notFound, "\(folder.name) has no \(weights)")
            }
            return try SafetensorsFile(bytes).tensors
        }
        if let bytes = try folder.bytes(of: "model.safetensors") { return try SafetensorsFile(bytes).tensors }
        if let index = try folder.bytes(of: "model.safetensors.index.json") { return try sharded(index) }
        guard try folder.bytes(of: "pytorch_model.bin") == nil else {
            throw WhisperError(
                .unsupported, "\(folder.name) has its weights in pytorch_model.bin; save them as model.safetensors")
        }
        throw WhisperError(.notFound, "\(folder.name) has neither model.safetensors nor model.safetensors.index.json")
    }

    /// The tensors of all the files that `weight_map` names.
    private func sharded(_ index: FileBytes) throws -> [String: StoredTensor] {
        guard let map = try JSONValue(parsing: index).object?["weight_map"]?.object else {
            throw WhisperError(.dataLoss, "\(index.name) has no 'weight_map'")
        }
        var shards: [String: SafetensorsFile] = [:]
        var tensors: [String: StoredTensor] = [:]
        for (name, value) in map.sorted(by: { $0.key < $1.key }) {
            guard let file = value.string else {
                throw WhisperError(.dataLoss, "\(index.name): 'weight_map' gives no file for '\(name)'")
            }
            let shard = try shards[file] ?? openShard(file, index)
            shards[file] = shard
            guard let tensor = shard.tensors[name] else {
                throw WhisperError(.dataLoss, "\(shard.name) has no tensor '\(name)', which \(index.name) places there")
            }
            tensors[name] = tensor
        }
        for shard in shards.values {
            let unknown = shard.names.filter { map[$0] == nil }
            guard unknown.isEmpty else {
                throw WhisperError(.dataLoss, "\(shard.name) has tensors that \(index.name) lacks: \(listed(unknown))")
            }
        }
        return tensors
    }

    private func openShard(_ file: String, _ index: FileBytes) throws -> SafetensorsFile {
        guard let bytes = try folder.bytes(of: file) else {
            throw WhisperError(.notFound, "\(folder.name) has no \(file), which \(index.name) names")
        }
        return try SafetensorsFile(bytes)
    }

    /// The tensors under openai's names, the tied unembedding left out.
    private func translated(_ stored: [String: StoredTensor]) throws -> [String: StoredTensor] {
        var tensors: [String: StoredTensor] = [:]
        for (name, tensor) in stored where name != HuggingFaceNames.tiedOutput {
            let translation = HuggingFaceNames.openAI(name)
            guard tensors.updateValue(tensor, forKey: translation) == nil else {
                throw WhisperError(.dataLoss, "\(folder.name) has the tensor '\(translation)' under two names")
            }
        }
        if let output = stored[HuggingFaceNames.tiedOutput], let embedding = tensors["decoder.token_embedding.weight"] {
            guard output.type == embedding.type, output.shape == embedding.shape,
                output.bytes.hasSameBytes(as: embedding.bytes)
            else {
                throw WhisperError(
                    .unsupported, "\(folder.name): proj_out.weight differs from the token embedding; Whisper ties them")
            }
        }
        return tensors
    }
}
