import TensorFiles

/// The weights of a Hugging Face folder, under the names that its files give them: `model.safetensors`, or older
/// folders' `pytorch_model.bin`, whole or in shards with an index.
struct HuggingFaceWeights {
    let folder: any FileTree

    static let files = ["model.safetensors", "pytorch_model.bin"]
    static let indexes = files.map { $0 + ".index.json" }

    /// The tensors of the file called `file`, or of the folder's own files.
    func tensors(of file: String? = nil) throws -> [String: StoredTensor] {
        if let file {
            guard let bytes = try folder.bytes(of: file) else {
                throw WhisperError(.notFound, "\(folder.name) has no \(file)")
            }
            return try tensors(in: bytes)
        }
        for (file, index) in zip(Self.files, Self.indexes) {
            if let bytes = try folder.bytes(of: file) { return try tensors(in: bytes) }
            if let bytes = try folder.bytes(of: index) { return try sharded(bytes) }
        }
        throw WhisperError(
            .notFound, "\(folder.name) has none of \((Self.files + Self.indexes).joined(separator: ", "))")
    }

    private func tensors(in bytes: FileBytes) throws -> [String: StoredTensor] {
        guard Checkpoint.isZip(bytes) else {
            try refuse(bytes)
            return try SafetensorsFile(bytes).tensors
        }
        let archive = try PyTorchArchive(bytes)
        return try archive.tensors(archive.load().1, of: "the checkpoint")
    }

    /// PyTorch's earlier format, which no reader of safetensors could name.
    private func refuse(_ bytes: FileBytes) throws {
        guard bytes.starts(with: [0x80, 0x02]) else { return }
        throw WhisperError(
            .unsupported, "\(bytes.name) is a PyTorch file from before version 1.6; load and save it again")
    }

    /// The tensors of all the files that `weight_map` names.
    private func sharded(_ index: FileBytes) throws -> [String: StoredTensor] {
        guard let map = try JSONValue(parsing: index).object?["weight_map"]?.object else {
            throw WhisperError(.dataLoss, "\(index.name) has no 'weight_map'")
        }
        var shards: [String: [String: StoredTensor]] = [:]
        var found: [String: StoredTensor] = [:]
        for (name, value) in map.sorted(by: { $0.key < $1.key }) {
            guard let file = value.string else {
                throw WhisperError(.dataLoss, "\(index.name): 'weight_map' gives no file for '\(name)'")
            }
            let shard = try shards[file] ?? tensors(ofShard: file, index)
            shards[file] = shard
            guard let tensor = shard[name] else {
                throw WhisperError(
                    .dataLoss, "\(folder.name)/\(file) has no tensor '\(name)', which \(index.name) places there")
            }
            found[name] = tensor
        }
        for (file, shard) in shards {
            let unknown = shard.keys.filter { map[$0] == nil }.sorted()
            guard unknown.isEmpty else {
                throw WhisperError(
                    .dataLoss, "\(folder.name)/\(file) has tensors that \(index.name) lacks: \(listed(unknown))")
            }
        }
        return found
    }

    private func tensors(ofShard file: String, _ index: FileBytes) throws -> [String: StoredTensor] {
        guard let bytes = try folder.bytes(of: file) else {
            throw WhisperError(.notFound, "\(folder.name) has no \(file), which \(index.name) names")
        }
        return try tensors(in: bytes)
    }
}
