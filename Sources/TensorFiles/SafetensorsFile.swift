import Kernels

/// Tensors by name in Hugging Face's safetensors format, mapped into memory.
///
/// The file is a little-endian u64 (the header's length), the header (a JSON object that gives each tensor's `dtype`,
/// `shape` and `data_offsets`, and strings under `__metadata__`), and the tensors' bytes. As the format's own reader
/// does, this one demands that the tensors tile the data: no overlap, no gap, nothing after the last.
/// What it cannot notice is a changed bit in the data itself, which the format has no checksum for.
public struct SafetensorsFile: Sendable {
    /// The format allows 100 MB, which is a million tensors and, read as JSON, more than a gigabyte of memory. Models of thousands of
    /// tensors have a few hundred KB.
    package static let maximumHeader = 16_000_000

    public let name: String
    /// What `__metadata__` says; empty where the file has none.
    public let metadata: [String: String]
    package let tensors: [String: StoredTensor]

    /// The names of all tensors, sorted.
    public var names: [String] { tensors.keys.sorted() }

    /// Opens the file at `path`.
    /// - Throws: ``TensorFileError``: `notFound`, `unavailable`; `dataLoss` where it is not sound.
    public init(path: String) throws { try self.init(MappedFile(path).bytes) }

    /// Reads the header of a file in memory; the tensors stay where they are.
    public init(_ bytes: FileBytes) throws {
        var cursor = ByteCursor(bytes)
        let length = try cursor.read(UInt64.self, "the header's length")
        guard length <= Self.maximumHeader else {
            throw TensorFileError(
                .dataLoss,
                "\(bytes.name): a safetensors header of \(length) bytes; at most \(Self.maximumHeader) are read")
        }
        guard length <= cursor.remaining else {
            throw TensorFileError(
                .dataLoss,
                "\(bytes.name): a safetensors header of \(length) bytes in a file of \(bytes.count); is it truncated?")
        }
        let header = try cursor.take(Int(length), "the header")
        guard let members = try JSONValue(parsing: header).object else {
            throw TensorFileError(.dataLoss, "\(bytes.name): the safetensors header is not a JSON object")
        }
        self.name = bytes.name
        self.metadata = try Self.metadata(members["__metadata__"], file: bytes.name)
        let data = try cursor.take(cursor.remaining, "the data")
        self.tensors = try Self.tensors(members.filter { $0.key != "__metadata__" }, data)
    }

    /// The extents of a tensor, outermost first, or nil where there is none of this name.
    public func shape(of name: String) -> [Int]? { tensors[name]?.shape }

    public func elementType(of name: String) -> ElementType? { tensors[name]?.type }

    /// A tensor as float32: a view of the file where it is float32 there, else converted (f16 and bf16 exactly).
    /// - Throws: ``TensorFileError`` (`notFound`) where there is none of this name.
    public func tensor(named name: String) throws -> Tensor {
        guard let stored = tensors[name] else {
            throw TensorFileError(.notFound, "\(self.name) has no tensor '\(name)'; it has \(listed(names))")
        }
        return try stored.float32()
    }

    private static func metadata(_ value: JSONValue?, file: String) throws -> [String: String] {
        guard let value, !value.isNull else { return [:] }
        guard let members = value.object else {
            throw TensorFileError(.dataLoss, "\(file): __metadata__ is not an object of strings")
        }
        return try members.mapValues { member in
            guard let text = member.string else {
                throw TensorFileError(.dataLoss, "\(file): __metadata__ is not an object of strings")
            }
            return text
        }
    }

    private static func tensors(_ members: [String: JSONValue], _ data: FileBytes) throws -> [String: StoredTensor] {
        var end = 0
        var tensors: [String: StoredTensor] = [:]
        let entries = try members.map { try Entry($0.key, $0.value, file: data.name) }
        for entry in entries.sorted(by: { ($0.begin, $0.end, $0.name) < ($1.begin, $1.end, $1.name) }) {
            guard entry.begin == end else {
                throw TensorFileError(
                    .dataLoss,
                    "\(data.name): tensor '\(entry.name)' begins at byte \(entry.begin) of the data, where the one "
                        + "before it ends at \(end): an overlap or a gap")
            }
            let bytes = try data.slice(entry.begin, entry.end - entry.begin, of: "tensor '\(entry.name)'")
            tensors[entry.name] = try StoredTensor(
                entry.type, shape: entry.shape, bytes: bytes.named("\(data.name), tensor '\(entry.name)'"))
            end = entry.end
        }
        guard end == data.count else {
            throw TensorFileError(
                .dataLoss, "\(data.name): the header describes \(end) bytes of data, but the file has \(data.count)")
        }
        return tensors
    }

    /// What the header says about one tensor.
    private struct Entry {
        let name: String
        let type: ElementType
        let shape: [Int]
        let begin: Int
        let end: Int

        init(_ name: String, _ value: JSONValue, file: String) throws {
            guard let members = value.object, let dtype = members["dtype"]?.string, let shape = members["shape"]?.ints,
                let offsets = members["data_offsets"]?.ints, offsets.count == 2, offsets[0] >= 0,
                offsets[0] <= offsets[1]
            else {
                throw TensorFileError(
                    .dataLoss, "\(file): tensor '\(name)' lacks a dtype, a shape of integers or rising data_offsets")
            }
            guard let type = ElementType(rawValue: dtype), !type.isQuantised else {
                throw TensorFileError(.unsupported, "\(file): tensor '\(name)' has the unknown dtype '\(dtype)'")
            }
            self.name = name
            self.type = type
            self.shape = shape
            self.begin = offsets[0]
            self.end = offsets[1]
        }
    }
}

/// The first few of `names`, for an error message.
package func listed(_ names: [String], limit: Int = 6) -> String {
    guard !names.isEmpty else { return "none" }
    return names.prefix(limit).joined(separator: ", ") + (names.count > limit ? " and \(names.count - limit) more" : "")
}
