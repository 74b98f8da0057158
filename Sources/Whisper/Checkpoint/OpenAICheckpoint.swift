import TensorFiles

/// openai/whisper's `.pt`: what `torch.save({"dims": {…}, "model_state_dict": …})` writes.
struct OpenAICheckpoint {
    private let archive: PyTorchArchive
    private var file: String { archive.file }

    init(_ bytes: FileBytes) throws { archive = try PyTorchArchive(bytes) }

    /// Reads the pickle; the weights stay in the file.
    func open(folder: any FileTree, vocabulary: VocabularySource) throws -> Checkpoint {
        let (unpickler, checkpoint) = try archive.load()
        guard let dims = checkpoint["dims"], let state = checkpoint["model_state_dict"] else {
            throw WhisperError(
                .unsupported,
                "\(file) has \(listed(checkpoint.keys.sorted())); openai/whisper's has dims and model_state_dict"
            )
        }
        let dimensions = try dimensions(try unpickler.members(of: dims, called: "dims"))
        let members = try unpickler.members(of: state, called: "model_state_dict")
        let tensors = try archive.tensors(members.filter { !Self.buffers.contains($0.key) }, of: "model_state_dict")
        return Checkpoint(
            format: .openAI, dimensions: dimensions,
            weights: try TensorTable(tensors, dimensions: dimensions, file: file),
            vocabulary: try vocabulary.load(beside: folder, nVocab: dimensions.nVocab), generation: GenerationConfig())
    }

    private func dimensions(_ dims: [String: PickleValue]) throws -> ModelDimensions {
        func size(_ name: String) throws -> Int {
            guard case .int(let value)? = dims[name] else {
                throw WhisperError(.dataLoss, "\(file): 'dims' has no integer '\(name)'")
            }
            return value
        }
        let dimensions = ModelDimensions(
            nMels: try size("n_mels"), nAudioCtx: try size("n_audio_ctx"), nAudioState: try size("n_audio_state"),
            nAudioHead: try size("n_audio_head"), nAudioLayer: try size("n_audio_layer"), nVocab: try size("n_vocab"),
            nTextCtx: try size("n_text_ctx"), nTextState: try size("n_text_state"), nTextHead: try size("n_text_head"),
            nTextLayer: try size("n_text_layer"))
        try dimensions.check(file: file)
        return dimensions
    }

    /// Buffers that some versions save: they are made from the dimensions, not learned.
    private static let buffers: Set<String> = ["decoder.mask", "alignment_heads"]
}
