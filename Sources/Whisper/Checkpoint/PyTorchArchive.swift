import TensorFiles

/// What `torch.save` writes: a zip archive with a pickle of a dictionary, and the elements of tensors.
///
/// The entries, in a folder that is named after the file: `data.pkl`, the pickle; `data/KEY`, the elements of each
/// storage; `byteorder`; and some that say nothing about the weights.
struct PyTorchArchive {
    let file: String
    private let archive: ZipArchive
    private let root: String

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

    /// The dictionary that was saved, and the unpickler that knows what its members hold; the weights stay in the file.
    func load() throws -> (Unpickler, [String: PickleValue]) {
        let pickle = try entry("data.pkl")
        try checksum(pickle)?.verify()
        var unpickler = try Unpickler(pickle.bytes)
        let value = try unpickler.load()
        return (unpickler, try unpickler.members(of: value, called: "the checkpoint"))
    }

    /// The tensors that `state`, a dictionary called `what`, holds.
    func tensors(_ state: [String: PickleValue], of what: String) throws -> [String: StoredTensor] {
        var storages: [String: (bytes: FileBytes, checked: ChecksummedBytes?)] = [:]
        var tensors: [String: StoredTensor] = [:]
        for (name, value) in state {
            guard case .tensor(let tensor) = value else {
                throw WhisperError(.dataLoss, "\(file): '\(name)' in \(what) is not a tensor")
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
