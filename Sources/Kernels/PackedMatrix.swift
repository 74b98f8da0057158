import Synchronization

/// The right side of products, laid out once for the kernels that will read it many times: a layer's weights.
///
/// Where every value is a number of half precision, as in released checkpoints, panels are kept in 16 bits and widened as
/// they are read: the same products to the bit from half the memory, and on the processors measured no slower even
/// where memory is no limit. In another ``Precision`` than `exact`, weights and what is multiplied by them are rounded.
public struct PackedMatrix: Sendable {
    /// Elements that a product sums over.
    public let depth: Int
    /// Columns of the result.
    public let columns: Int
    private let storage: Storage
    public let precision: Precision
    private let implementation: KernelImplementation

    private enum Storage: Sendable {
        /// As PyTorch has it, `[columns, depth]`: for OpenBLAS and the plain form.
        case rows(Tensor)
        case panels(Tensor)
        case halves(HalfPanels)
        case words(WordPanels)
        case plainWords(PlainWords)
    }

    /// Packs weights as PyTorch has them, `[out, in]`; the product is x Wᵀ.
    ///
    /// `bf16` is computed here on any processor, slowly where that has no instructions for it: who offers it asks for
    /// ``Precision/refusal`` first.
    public init(
        _ weight: Tensor, precision: Precision = .exact, for implementation: KernelImplementation = .current
    ) {
        precondition(weight.rank == 2, "a matrix of shape \(weight.shape)")
        (columns, depth) = (weight.shape[0], weight.shape[1])
        (self.precision, self.implementation) = (precision, implementation)
        if let element = precision.element {
            storage =
                implementation.table.map { .words(WordPanels(weight, of: element, $0)) }
                ?? .plainWords(PlainWords(weight, of: element))
            return
        }
        guard implementation.hasPanels, let table = implementation.table else {
            storage = .rows(weight)
            return
        }
        if let panels = HalfPanels(columns: columns, depth: depth, table, { _ in weight }, at: columns) {
            storage = .halves(panels)
            return
        }
        let width = table.panelWidth, columns = columns, depth = depth
        var panels = Tensor(uninitialized: [(columns + width - 1) / width * width * depth])
        weight.withUnsafeBufferPointer { weight in
            panels.withUnsafeMutableBufferPointer { panels in
                guard let weight = weight.baseAddress, let panels = panels.baseAddress else { return }
                Parallel.blocks(of: width, in: columns) { block in
                    let at = block.lowerBound * depth
                    table.pack(weight + at, depth, depth, block.count, true, panels + at)
                }
            }
        }
        storage = .panels(panels)
    }

    /// The same from weights that come some rows at a time, so that a large matrix need not be in memory as float32.
    ///
    /// - Parameter rows: gives rows of `[columns, depth]`, perhaps some of them twice.
    /// - Throws: what `rows` throws.
    public init(
        columns: Int, depth: Int, precision: Precision = .exact, for implementation: KernelImplementation = .current,
        rows: (Range<Int>) throws -> Tensor
    ) rethrows {
        guard precision == .exact, implementation.hasPanels, let table = implementation.table,
            let panels = try HalfPanels(columns: columns, depth: depth, table, rows)
        else {
            self.init(try rows(0..<columns), precision: precision, for: implementation)
            return
        }
        self.init(columns: columns, depth: depth, .halves(panels), precision, implementation)
    }

    private init(
        columns: Int, depth: Int, _ storage: Storage, _ precision: Precision, _ implementation: KernelImplementation
    ) {
        (self.columns, self.depth, self.storage) = (columns, depth, storage)
        (self.precision, self.implementation) = (precision, implementation)
    }

    /// Bytes that the layout takes.
    public var byteCount: Int {
        switch storage {
        case .rows(let tensor), .panels(let tensor): tensor.count * 4
        case .halves(let panels): panels.count * 2
        case .words(let panels): panels.byteCount
        case .plainWords(let plain): plain.byteCount
        }
    }

    /// Some columns of a product: C[rows, columns] = A · B + bias.
    ///
    /// - Parameters:
    ///   - range: columns of the whole matrix; begins at a multiple of ``columnStep``. `c` and `bias` begin with its first.
    ///   - lda, ldc: elements between the beginnings of two rows; rows of A may overlap.
    ///   - bias: added to each row, one value a column; nil for none.
    public func multiply(
        rows: Int, _ a: UnsafePointer<Float>, lda: Int, columns range: Range<Int>? = nil,
        bias: UnsafePointer<Float>?, into c: UnsafeMutablePointer<Float>, ldc: Int
    ) {
        let range = range ?? 0..<columns
        guard rows > 0, !range.isEmpty else { return }
        assert(range.lowerBound % columnStep == 0 && range.upperBound <= columns)
        switch storage {
        case .rows(let weight):
            weight.withUnsafeBufferPointer { weight in
                MatrixProduct.multiply(
                    m: rows, n: range.count, k: depth, a, lda: lda, weight.baseAddress! + range.lowerBound * depth,
                    ldb: depth, .columns, into: c, ldc: ldc, using: implementation)
            }
            if let bias {
                Elementwise.addBias(
                    bias, to: c, rows: rows, columns: range.count, stride: ldc, using: implementation)
            }
        case .panels(let panels):
            panels.withUnsafeBufferPointer { panels in
                let (table, from) = (implementation.table!, panels.baseAddress! + range.lowerBound * depth)
                if rows == 1 {
                    table.vectorProduct(range.count, depth, a, from, bias, c, false)
                } else {
                    table.product(rows, range.count, depth, a, lda, from, bias, c, ldc, false)
                }
            }
        case .halves(let panels):
            let (table, from) = (implementation.table!, panels.base + range.lowerBound * depth)
            if rows == 1 {
                table.vectorProductOfHalves(range.count, depth, a, from, bias, c, false)
            } else {
                FloatMemory.withScratch(table.widenedCount) {
                    table.productOfHalves(rows, range.count, depth, a, lda, from, bias, c, ldc, false, $0)
                }
            }
        case .words(let panels): panels.multiply(rows, a, lda, range, bias, c, ldc)
        case .plainWords(let plain): plain.multiply(rows, a, lda, range, bias, c, ldc)
        }
    }

    /// Columns that lie together: work that is shared out by columns begins at multiples of it.
    public var columnStep: Int {
        switch storage {
        case .rows, .plainWords: 1
        case .panels, .halves, .words: implementation.table!.panelWidth
        }
    }

    /// Row `column` of the weights as the products see them, as they were given where the precision is `exact`: what multiplies into that column of a product, `[depth]`.
    public func copyWeights(ofColumn column: Int, into out: UnsafeMutablePointer<Float>) {
        precondition((0..<columns).contains(column), "column \(column) of \(columns)")
        let width = columnStep
        let panel = column / width * width * depth + column % width
        switch storage {
        case .rows(let weight):
            weight.withUnsafeBufferPointer { out.update(from: $0.baseAddress! + column * depth, count: depth) }
        case .panels(let panels):
            panels.withUnsafeBufferPointer { for k in 0..<depth { out[k] = $0[panel + k * width] } }
        case .halves(let panels):
            for k in 0..<depth { out[k] = Float(Float16(bitPattern: panels.base[panel + k * width])) }
        case .words(let panels): panels.copyColumn(column, into: out)
        case .plainWords(let plain): plain.copyColumn(column, into: out)
        }
    }

    /// The same of several, row-major: `[range.count, depth]`.
    /// - Parameter range: begins at a multiple of ``columnStep``.
    public func copyWeights(ofColumns range: Range<Int>, into out: UnsafeMutablePointer<Float>) {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= columns && range.lowerBound % columnStep == 0,
            "columns \(range) of \(columns)")
        let width = columnStep
        guard let learning = implementation.learning else {
            for column in range { copyWeights(ofColumn: column, into: out + (column - range.lowerBound) * depth) }
            return
        }
        switch storage {
        case .rows(let weight):
            weight.withUnsafeBufferPointer {
                out.update(from: $0.baseAddress! + range.lowerBound * depth, count: range.count * depth)
            }
        case .panels(let panels):
            panels.withUnsafeBufferPointer { panels in
                for first in stride(from: range.lowerBound, to: range.upperBound, by: width) {
                    learning.transpose(
                        panels.baseAddress! + first * depth, width, depth, min(width, range.upperBound - first),
                        out + (first - range.lowerBound) * depth, depth)
                }
            }
        case .halves(let panels):
            FloatMemory.withScratch(depth * width) { panel in
                for first in stride(from: range.lowerBound, to: range.upperBound, by: width) {
                    learning.widen(panels.base + first * depth, panel, depth * width)
                    learning.transpose(
                        panel, width, depth, min(width, range.upperBound - first),
                        out + (first - range.lowerBound) * depth, depth)
                }
            }
        case .words, .plainWords:
            for column in range { copyWeights(ofColumn: column, into: out + (column - range.lowerBound) * depth) }
        }
    }
}

extension Precision {
    /// What weights are kept as, where that is fewer bits.
    var element: WordPanels.Element? {
        switch self {
        case .exact: nil
        case .int8: .bytes
        case .bf16: .bf16
        }
    }
}

/// Panels of half precision: `[⌈columns / panelWidth⌉][depth][panelWidth]`, zeros behind the last column.
private final class HalfPanels: @unchecked Sendable {
    // Sendable: written by the initialiser alone.
    let base: UnsafeMutablePointer<UInt16>
    let count: Int
    private let memory: WeightMemory

    /// - Parameters:
    ///   - rows: gives rows of `[columns, depth]`.
    ///   - step: how many it is asked for at once.
    /// - Returns: nil where half precision lacks one of their values.
    init?(
        columns: Int, depth: Int, _ table: KernelTable, _ rows: (Range<Int>) throws -> Tensor, at step: Int = 4096
    ) rethrows {
        let width = table.panelWidth
        count = columns.rounded(upTo: width) * depth
        memory = WeightMemory(byteCount: count * 2)
        base = memory.base.bindMemory(to: UInt16.self, capacity: count)
        let out = HalfAddress(base), isExact = Atomic<Bool>(true)
        for first in stride(from: 0, to: columns, by: max(step, 1).rounded(upTo: width)) {
            let range = first..<min(columns, first + max(step, 1).rounded(upTo: width))
            try rows(range).withUnsafeBufferPointer { weight in
                guard let weight = weight.baseAddress else { return }
                Parallel.blocks(of: width, in: range.count) { block in
                    guard isExact.load(ordering: .relaxed) else { return }
                    let to = out.base + (first + block.lowerBound) * depth
                    if !table.packHalves(weight + block.lowerBound * depth, depth, block.count, to) {
                        isExact.store(false, ordering: .relaxed)
                    }
                }
            }
            guard isExact.load(ordering: .relaxed) else { return nil }
        }
    }
}

/// Sendable: each task writes panels of its own.
private struct HalfAddress: @unchecked Sendable {
    let base: UnsafeMutablePointer<UInt16>
    init(_ base: UnsafeMutablePointer<UInt16>) { self.base = base }
}
