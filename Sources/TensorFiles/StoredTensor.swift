import Kernels

/// A tensor as it lies in a file: its type, its shape and its bytes.
package struct StoredTensor: Sendable {
    package let type: ElementType
    /// Extents, outermost first.
    package let shape: [Int]
    /// Contiguous row-major elements, or, with `strides`, all that the strides can reach.
    package let bytes: FileBytes
    /// Distance between neighbours along each axis, in elements; nil for a contiguous tensor.
    package let strides: [Int]?
    /// The archive entry that the bytes are a part of, where it recorded a checksum.
    package let checked: ChecksummedBytes?
    /// For whole numbers that stand for others.
    private var scales: RowScales?

    /// A contiguous tensor.
    /// - Throws: ``TensorFileError`` (`dataLoss`) unless `bytes` has exactly the size that type and shape make.
    package init(_ type: ElementType, shape: [Int], bytes: FileBytes) throws {
        guard let expected = type.byteCount(of: shape), expected == bytes.count else {
            let expected = type.byteCount(of: shape).map { "\($0) bytes" } ?? "no possible size"
            throw TensorFileError(
                .dataLoss,
                "\(bytes.name): a tensor of \(type.rawValue) \(shape) takes \(expected), but has \(bytes.count)")
        }
        self.init(type: type, shape: shape, bytes: bytes, strides: nil, checked: nil)
    }

    /// A tensor whose elements the caller has checked to lie in `bytes`.
    package init(type: ElementType, shape: [Int], bytes: FileBytes, strides: [Int]?, checked: ChecksummedBytes?) {
        self.type = type
        self.shape = shape
        self.bytes = bytes
        self.strides = strides
        self.checked = checked
    }

    /// The same whole numbers, each standing for itself divided by its row's scale.
    package func divided(by scales: RowScales) -> StoredTensor {
        var copy = self
        copy.scales = scales
        return copy
    }

    /// Some rows, along the first axis, not copied; nil for a tensor that has strides.
    package func rows(_ range: Range<Int>) throws -> StoredTensor? {
        precondition(range.lowerBound >= 0 && range.upperBound <= (shape.first ?? 0), "rows \(range) of \(shape)")
        let rowShape = Array(shape.dropFirst())
        guard strides == nil, let extent = shape.first, let row = type.byteCount(of: rowShape),
            type.byteCount(of: shape) == row * extent
        else { return nil }
        let some = try bytes.slice(range.lowerBound * row, range.count * row, of: "rows \(range)")
        var part = StoredTensor(
            type: type, shape: [range.count] + rowShape, bytes: some, strides: nil, checked: checked)
        part.scales = scales?.rows(range)
        return part
    }

    /// The same elements under another shape of equal count.
    package func reshaped(_ shape: [Int]) -> StoredTensor {
        var copy = StoredTensor(type: type, shape: shape, bytes: bytes, strides: strides, checked: checked)
        copy.scales = scales
        return copy
    }

    /// The elements as float32: a view of the file where they are that already, else converted.
    /// - Throws: ``TensorFileError``: `dataLoss` where a recorded checksum shows that the bytes are damaged; `resourceExhausted` where
    ///   they are more than a file may give (``ReadingLimit``).
    package func float32() throws -> Tensor {
        try ReadingLimit.check(elements: checkedProduct(shape), "\(bytes.name): \(type.rawValue) \(shape)")
        try checked?.verify()
        return withExtendedLifetime(bytes) { elements() }
    }

    /// Some rows, along the first axis, as float32.
    /// - Throws: as ``float32()``.
    package func float32(rows range: Range<Int>) throws -> Tensor {
        guard let part = try rows(range) else { return try float32().rows(range) }
        // What is no view has been read, and is not held in memory twice.
        defer { if type != .float32 { part.bytes.rest() } }
        return try part.float32()
    }

    private func elements() -> Tensor {
        guard let count = checkedProduct(shape), count > 0, let base = bytes.buffer.baseAddress else {
            return Tensor(shape: shape)
        }
        if let strides { return gathered(base, strides) }
        if type == .float32, scales == nil, UInt(bitPattern: base) % 4 == 0 {
            return Tensor(shape: shape, viewing: base.assumingMemoryBound(to: Float.self), owner: bytes.owner)
        }
        var tensor = Tensor(uninitialized: shape)
        tensor.withUnsafeMutableBufferPointer {
            widen(base, type, count: count, into: $0.baseAddress!)
            scales?.divide($0, columns: count / (shape.first ?? 1))
        }
        return tensor
    }

    /// The elements at every coordinate of `shape`, in row-major order. Not for quantised types.
    private func gathered(_ base: UnsafeRawPointer, _ strides: [Int]) -> Tensor {
        var tensor = Tensor(uninitialized: shape)
        tensor.withUnsafeMutableBufferPointer { out in
            var coordinates = [Int](repeating: 0, count: shape.count)
            var element = 0
            for i in out.indices {
                widen(base + element * type.blockSize, type, count: 1, into: out.baseAddress! + i)
                for axis in shape.indices.reversed() {  // the next coordinate, as an odometer counts
                    coordinates[axis] += 1
                    element += strides[axis]
                    if coordinates[axis] < shape[axis] { break }
                    element -= strides[axis] * shape[axis]
                    coordinates[axis] = 0
                }
            }
        }
        return tensor
    }
}
