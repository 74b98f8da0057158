import Kernels

/// Writes named tensors to a file, one after another, holding none of them in memory.
///
/// The file appears with ``finish(metadata:)``, whole; after an error, or when a writer is dropped before that, nothing
/// is left of it. Any failure ends the writing: later calls throw.
public protocol TensorFileWriter: AnyObject {
    /// Adds a tensor whose contiguous row-major elements are `bytes`, little-endian.
    /// - Throws: ``TensorFileError``: `invalidArgument` for a name that was used before, or where `bytes` has another size
    ///   than `type` and `shape` make; ``Files/FileError`` (`inputOutput`) where the disk is full or otherwise refuses.
    func append(_ name: String, type: ElementType, shape: [Int], bytes: UnsafeRawBufferPointer) throws
    /// Completes the file and puts it in its place.
    /// - Parameter metadata: strings for the file as a whole, or, keyed by a tensor's name, for that tensor.
    func finish(metadata: [String: String]) throws
}

extension TensorFileWriter {
    public func append(_ name: String, _ tensor: Tensor) throws {
        try tensor.withUnsafeBufferPointer {
            try append(name, type: .float32, shape: tensor.shape, bytes: UnsafeRawBufferPointer($0))
        }
    }

    /// A vector of integers: token ids.
    public func append(_ name: String, _ integers: [Int64]) throws {
        try integers.withUnsafeBytes { try append(name, type: .int64, shape: [integers.count], bytes: $0) }
    }

    public func append(_ name: String, _ integers: [Int32]) throws {
        try integers.withUnsafeBytes { try append(name, type: .int32, shape: [integers.count], bytes: $0) }
    }
}

/// What every format checks before it writes a tensor.
package struct TensorNames {
    private var used: Set<String> = []
    private let path: String

    package init(path: String) { self.path = path }

    package mutating func admit(_ name: String, _ type: ElementType, _ shape: [Int], bytes: Int) throws {
        guard !name.isEmpty, name != "__metadata__", used.insert(name).inserted else {
            throw TensorFileError(.invalidArgument, "cannot write a tensor '\(name)' to \(path): the name is taken")
        }
        guard !type.isQuantised, type.byteCount(of: shape) == bytes else {
            throw TensorFileError(
                .invalidArgument,
                "cannot write tensor '\(name)' to \(path): \(type.rawValue) \(shape) in \(bytes) bytes")
        }
    }
}
