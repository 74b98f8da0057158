import TensorFiles

/// openai/whisper's `.pt`: what `torch.save({"dims": {…}, "model_state_dict": …})` writes, a zip archive.
///
/// The entries, in a folder that is named after the file: `data.pkl`, the pickle; `data/KEY`, the elements of each
/// storage; `byteorder`; and some that say nothing about the weights.
struct OpenAICheckpoint {
    private let archive: ZipArchive
    private let root: String
    private let file: String

    init(_ bytes: FileBytes) throws {
        self.archive = try ZipArchive(bytes)
        self.file = bytes.name
        let pickles = archive.entries.keys.filter { $0.hasSuffix("/data.pkl") }
        guard pickles.count == 1, let pickle = pickles.first else {
            throw WhisperError(
                .unsupported,
                "\(file) is a zip archive with \(pickles.count) entries */data.pkl, so not what torch.save writes")
        }
        self.root = String(pickle.dropLast("data.pkl".count))
        if let order = archive.entries[root + "byteorder"], order.bytes.array != Array("little".utf8) {
            throw WhisperError(.unsupported, "\(file) was saved on a big-endian machine")
        }
    }

    /// Reads the pickle; the weights stay in the file.
    func open(folder: any FileTree, vocabulary: VocabularySource) throws -> Checkpoint {
        let pickle = try entry("data.pkl")
        try checksum(pickle)?.verify()
        var unpickler = try Unpickler(pickle.bytes)
        let value = try unpickler.load()
        let checkpoint = try unpickler.members(of: value, called: "the checkpoint")
        guard let dims = checkpoint["dims"], let state = checkpoint["model_state_dict"] else {
            throw WhisperError(
                .unsupported,
                "\(file) has \(listed(checkpoint.keys.sorted())); openai/whisper's has dims and model_state_dict"
            )
        }
        let dimensions = try dimensions(try unpickler.members(of: dims, called: "dims"))
        let tensors = try tensors(try unpickler.members(of: state, called: "model_state_dict"))
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

    private func tensors(_ state: [String: PickleValue]) throws -> [String: StoredTensor] {
        var storages: [String: (bytes: FileBytes, checked: ChecksummedBytes?)] = [:]
        var tensors: [String: StoredTensor] = [:]
        for (name, value) in state where !Self.buffers.contains(name) {
            guard case .tensor(let tensor) = value else {
                throw WhisperError(.dataLoss, "\(file): '\(name)' in model_state_dict is not a tensor")
            }
            let storage = try storages[tensor.storage.key] ?? open(tensor.storage)
            storages[tensor.storage.key] = storage
            tensors[name] = try stored(tensor, called: name, in: storage.bytes, checked: storage.checked)
        }
        return tensors
    }

    private func open(_ storage: PickleStorage) throws -> (FileBytes, ChecksummedBytes?) {
        let entry = try entry("data/\(storage.key)")
        return (entry.bytes, checksum(entry))
    }

    private func entry(_ name: String) throws -> ZipArchive.Entry {
        guard let entry = archive.entries[root + name] else {
            throw WhisperError(.dataLoss, "\(file) has no entry '\(root + name)'")
        }
        return entry
    }

    /// `torch.save` can be told to compute no checksums, and then records 0.
    private func checksum(_ entry: ZipArchive.Entry) -> ChecksummedBytes? {
        entry.crc == 0 ? nil : ChecksummedBytes(entry.bytes, expected: entry.crc)
    }

    /// A tensor in its storage, after every range has been checked.
    private func stored(
        _ tensor: PickleTensor, called name: String, in bytes: FileBytes, checked: ChecksummedBytes?
    ) throws -> StoredTensor {
        let storage = tensor.storage
        guard storage.type.byteCount(of: [storage.count]) == bytes.count else {
            throw WhisperError(
                .dataLoss,
                "\(bytes.name): \(storage.count) elements of \(storage.type.rawValue) in \(bytes.count) bytes")
        }
        // A tensor never has more elements than its storage: one that repeats elements (stride 0) could be of any size.
        guard let count = checkedProduct(tensor.shape), count <= storage.count,
            let span = Self.span(tensor.shape, tensor.strides), (0...storage.count).contains(tensor.offset),
            span <= storage.count - tensor.offset
        else {
            throw WhisperError(
                .dataLoss,
                "\(file): tensor '\(name)' of shape \(tensor.shape), strides \(tensor.strides) and offset "
                    + "\(tensor.offset) does not fit its storage of \(storage.count)")
        }
        let size = storage.type.blockSize
        let part = try bytes.slice(tensor.offset * size, span * size, of: "tensor '\(name)'")
        let isContiguous = count == 0 || tensor.strides == Self.contiguousStrides(tensor.shape)
        return StoredTensor(
            type: storage.type, shape: tensor.shape, bytes: part, strides: isContiguous ? nil : tensor.strides,
            checked: checked)
    }

    /// Elements from a tensor's first to its last, both included; nil for strides that no tensor has.
    private static func span(_ shape: [Int], _ strides: [Int]) -> Int? {
        if shape.contains(0) { return 0 }
        var last = 0
        for (extent, stride) in zip(shape, strides) {
            let (reach, overflow) = (extent - 1).multipliedReportingOverflow(by: stride)
            let (sum, overflowOfSum) = last.addingReportingOverflow(reach)
            guard stride >= 0, !overflow, !overflowOfSum else { return nil }
            last = sum
        }
        return last < Int.max ? last + 1 : nil
    }

    /// The strides of a row-major tensor.
    private static func contiguousStrides(_ shape: [Int]) -> [Int] {
        var strides = [Int](repeating: 1, count: shape.count)
        for axis in shape.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * shape[axis + 1] }
        return strides
    }
}
