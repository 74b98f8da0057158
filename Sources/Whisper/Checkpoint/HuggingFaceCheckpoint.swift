import TensorFiles

/// A Hugging Face folder: `config.json`, the weights (``HuggingFaceWeights``), tokenizer files, and
/// `generation_config.json`.
struct HuggingFaceCheckpoint {
    let folder: any FileTree

    /// Reads sizes and headers; the weights stay in their files.
    /// - Parameter weights: the file to take the weights from, instead of the folder's own.
    func open(weights: String? = nil, vocabulary: VocabularySource) throws -> Checkpoint {
        guard let bytes = try folder.bytes(of: "config.json") else {
            throw WhisperError(
                .notFound,
                "\(folder.name) has no config.json; a Hugging Face folder has config.json and model.safetensors"
            )
        }
        let config = try HuggingFaceConfig(bytes)
        let dimensions = try config.dimensions()
        let tensors = try translated(try HuggingFaceWeights(folder: folder).tensors(of: weights))
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
