import TensorFiles

/// A Hugging Face folder: `config.json`, the weights (``HuggingFaceWeights``), tokenizer files, and
/// `generation_config.json`.
struct HuggingFaceCheckpoint {
    let folder: any FileTree

    /// Reads sizes and headers; the weights stay in their files.
    /// - Parameter weights: the file to take the weights from, instead of the folder's own.
    func open(weights: String? = nil, vocabulary: VocabularySource) throws -> Checkpoint {
        guard let bytes = try folder.bytes(of: "config.json") else {
            throw OtherFolders.refusal(folder)
        }
        let config = try HuggingFaceConfig(bytes)
        guard !config.isOfCTranslate2 else {
            throw WhisperError(
                .notFound,
                "\(folder.name) has the config.json of a CTranslate2 model, but no model.bin")
        }
        let dimensions = try config.dimensions()
        var generation = try generation(config, dimensions)
        let tensors = try translated(try HuggingFaceWeights(folder: folder).tensors(of: weights), &generation)
        return Checkpoint(
            format: .huggingFace, dimensions: dimensions,
            weights: try TensorTable(tensors, dimensions: dimensions, file: folder.name),
            vocabulary: try vocabulary.load(beside: folder, nVocab: dimensions.nVocab),
            generation: generation)
    }

    /// `generation_config.json` first; older folders have the same keys in `config.json`.
    private func generation(_ config: HuggingFaceConfig, _ dimensions: ModelDimensions) throws -> GenerationConfig {
        let fallback = try config.generation(dimensions)
        guard let bytes = try folder.bytes(of: "generation_config.json") else { return fallback }
        return try HuggingFaceConfig(bytes).generation(dimensions).filled(from: fallback)
    }

    /// The tensors under openai's names, without the unembedding: Whisper ties it to the token embedding, so transformers
    /// sets it to that whatever a file has there.
    private func translated(
        _ stored: [String: StoredTensor], _ generation: inout GenerationConfig
    ) throws -> [String: StoredTensor] {
        var tensors: [String: StoredTensor] = [:]
        for (name, tensor) in stored where name != HuggingFaceNames.tiedOutput {
            let translation = HuggingFaceNames.openAI(name)
            guard tensors.updateValue(tensor, forKey: translation) == nil else {
                throw WhisperError(.dataLoss, "\(folder.name) has the tensor '\(translation)' under two names")
            }
        }
        if let output = stored[HuggingFaceNames.tiedOutput], let embedding = tensors["decoder.token_embedding.weight"] {
            let isSame =
                output.type == embedding.type && output.shape == embedding.shape
                && output.bytes.hasSameBytes(as: embedding.bytes)
            if !isSame {
                generation.ignored.append(
                    "\(folder.name): \(HuggingFaceNames.tiedOutput) is not the token embedding to the bit, and was left out: "
                        + "config.json ties the two")
            }
        }
        return tensors
    }
}
