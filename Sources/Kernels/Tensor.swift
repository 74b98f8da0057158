/// A contiguous, row-major tensor of float32 with value semantics.
///
/// The elements live in a 64-byte aligned buffer that copies share until one of them is written to
/// (copy on write). A tensor may also be a read-only view of memory that someone else owns, such as a
/// memory-mapped checkpoint; writing to one copies it first.
///
/// Shapes are written outermost first: `[frames, state]` holds one frame's residual stream per row.
public struct Tensor: @unchecked Sendable {
    // Sendable: the buffer is written only through `withUnsafeMutableBufferPointer`, which first makes
    // sure that this value is its only owner.

    /// Extents, outermost first. The product is ``count``. An empty shape is a scalar.
    public private(set) var shape: [Int]
    private var buffer: TensorBuffer

    /// A tensor of zeros.
    public init(shape: [Int]) {
        self.init(uninitialized: shape)
        buffer.base.update(repeating: 0, count: count)
    }

    /// A tensor whose elements are whatever the memory held; for operations that write every element.
    public init(uninitialized shape: [Int]) {
        precondition(shape.allSatisfy { $0 >= 0 }, "negative extent in shape \(shape)")
        self.shape = shape
        self.buffer = TensorBuffer(count: shape.reduce(1, *))
    }

    /// A tensor that holds a copy of `elements`.
    public init(shape: [Int], _ elements: some Collection<Float>) {
        self.init(uninitialized: shape)
        precondition(elements.count == count, "\(elements.count) elements for shape \(shape)")
        _ = UnsafeMutableBufferPointer(start: buffer.base, count: count).initialize(from: elements)
    }

    /// A read-only view of `count(shape)` floats at `base`, kept alive by `owner`.
    public init(shape: [Int], viewing base: UnsafePointer<Float>, owner: AnyObject) {
        self.shape = shape
        self.buffer = TensorBuffer(viewing: base, count: shape.reduce(1, *), owner: owner)
    }

    public var count: Int { buffer.count }
    public var rank: Int { shape.count }

    /// The elements in row-major order, copied.
    public var elements: [Float] { withUnsafeBufferPointer(Array.init) }

    /// The same elements under another shape of equal count.
    public func reshaped(_ shape: [Int]) -> Tensor {
        precondition(shape.reduce(1, *) == count, "cannot reshape \(self.shape) to \(shape)")
        var copy = self
        copy.shape = shape
        return copy
    }

    public func withUnsafeBufferPointer<R>(_ body: (UnsafeBufferPointer<Float>) throws -> R) rethrows -> R {
        defer { withExtendedLifetime(buffer) {} }
        return try body(UnsafeBufferPointer(start: buffer.base, count: buffer.count))
    }

    public mutating func withUnsafeMutableBufferPointer<R>(
        _ body: (UnsafeMutableBufferPointer<Float>) throws -> R
    ) rethrows -> R {
        if !isKnownUniquelyReferenced(&buffer) || buffer.isView { buffer = buffer.copied() }
        defer { withExtendedLifetime(buffer) {} }
        return try body(UnsafeMutableBufferPointer(start: buffer.base, count: buffer.count))
    }
}

extension Tensor {
    /// The element at `index`, one coordinate per axis. For tests and small readers, not for inner loops.
    public subscript(index: Int...) -> Float {
        get { withUnsafeBufferPointer { $0[offset(of: index)] } }
        set {
            let offset = offset(of: index)
            withUnsafeMutableBufferPointer { $0[offset] = newValue }
        }
    }

    private func offset(of index: [Int]) -> Int {
        precondition(index.count == rank, "\(index.count) coordinates for shape \(shape)")
        return zip(index, shape).reduce(0) { offset, axis in
            precondition((0..<axis.1).contains(axis.0), "index \(index) outside shape \(shape)")
            return offset * axis.1 + axis.0
        }
    }
}

/// The memory behind a tensor: owned and aligned, or a view that keeps its owner alive.
private final class TensorBuffer {
    let base: UnsafeMutablePointer<Float>
    let count: Int
    private let owner: AnyObject?
    var isView: Bool { owner != nil }

    init(count: Int) {
        self.base = FloatMemory.take(count)
        self.count = count
        self.owner = nil
    }

    init(viewing base: UnsafePointer<Float>, count: Int, owner: AnyObject) {
        self.base = UnsafeMutablePointer(mutating: base)
        self.count = count
        self.owner = owner
    }

    func copied() -> TensorBuffer {
        let copy = TensorBuffer(count: count)
        copy.base.update(from: base, count: count)
        return copy
    }

    deinit { if owner == nil { FloatMemory.give(base, count) } }
}
