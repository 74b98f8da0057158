/// A right side of products in fewer bits: panels of bytes with a scale for each column, or of bfloat16.
///
/// The left side is brought to the same numbers on the way: a row at a time, with a scale of its own.
final class WordPanels: @unchecked Sendable {
    // Sendable: `pack` writes columns that nobody reads yet, no two threads the same.
    enum Element { case bytes, bf16 }

    let element: Element
    let depth: Int
    let columns: Int
    private let table: KernelTable
    /// The panels, a whole number of floats; behind them the scales and the starts.
    private let memory: UnsafeMutableRawPointer
    /// Whose `memory` is; nil where it is FloatMemory's, which the next pass takes again.
    private let weights: WeightMemory?
    /// Of each column of the panels; of bytes alone.
    private let scales: UnsafeMutablePointer<Float>
    private let starts: UnsafeMutablePointer<Int32>
    /// Rows of words of a panel.
    private let words: Int
    /// Bytes of one column.
    private let columnBytes: Int
    let byteCount: Int

    /// Room for columns that ``pack(_:ldb:columns:)`` writes.
    /// - Parameter isWeight: whether they stay as long as a model does, rather than for a pass.
    init(depth: Int, columns: Int, of element: Element, _ table: KernelTable, isWeight: Bool = false) {
        (self.depth, self.columns, self.element, self.table) = (depth, columns, element, table)
        let wordDepth = element == .bytes ? table.wordDepth : 2
        words = (depth + wordDepth - 1) / wordDepth
        columnBytes = words * (element == .bytes ? wordDepth : 4)
        let padded = columns.rounded(upTo: table.panelWidth), scaleCount = element == .bytes ? padded : 0
        byteCount = padded * columnBytes + scaleCount * 8
        weights = isWeight ? WeightMemory(byteCount: byteCount) : nil
        memory = weights?.base ?? UnsafeMutableRawPointer(FloatMemory.take(byteCount / 4))
        scales = (memory + padded * columnBytes).bindMemory(to: Float.self, capacity: scaleCount)
        starts = (memory + padded * columnBytes + scaleCount * 4).bindMemory(to: Int32.self, capacity: scaleCount)
        // The last panel's columns that there are not.
        guard padded > columns else { return }
        let whole = padded - table.panelWidth
        let bytes = (padded - whole) * columnBytes
        (memory + whole * columnBytes).initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
        guard element == .bytes else { return }
        (scales + whole).update(repeating: 0, count: padded - whole)
        (starts + whole).update(repeating: 0, count: padded - whole)
    }

    /// Weights as PyTorch has them, `[columns, depth]`.
    convenience init(_ weight: Tensor, of element: Element, _ table: KernelTable) {
        self.init(depth: weight.shape[1], columns: weight.shape[0], of: element, table, isWeight: true)
        let depth = depth
        weight.withUnsafeBufferPointer { weight in
            guard let weight = weight.baseAddress else { return }
            Parallel.blocks(of: table.panelWidth, in: columns) {
                pack(weight + $0.lowerBound * depth, ldb: depth, columns: $0)
            }
        }
    }

    deinit {
        if weights == nil { FloatMemory.give(memory.assumingMemoryBound(to: Float.self), byteCount / 4) }
    }

    /// Writes some columns: rows of `b`, `ldb` apart.
    func pack(_ b: UnsafePointer<Float>, ldb: Int, columns range: Range<Int>) {
        let first = range.lowerBound
        switch element {
        case .bytes:
            table.packBytes(
                b, ldb, depth, range.count, first, memory.assumingMemoryBound(to: Int8.self), scales, starts)
        case .bf16: table.packBF16(b, ldb, depth, range.count, first, memory.assumingMemoryBound(to: UInt16.self))
        }
    }

    /// C = A · B + bias over some columns, which begin with a panel; the parameters are
    /// ``PackedMatrix/multiply(rows:_:lda:columns:bias:into:ldc:)``'s.
    func multiply(
        _ rows: Int, _ a: UnsafePointer<Float>, _ lda: Int, _ range: Range<Int>, _ bias: UnsafePointer<Float>?,
        _ c: UnsafeMutablePointer<Float>, _ ldc: Int
    ) {
        let wordDepth = element == .bytes ? table.wordDepth : 2
        let stride = depth.rounded(upTo: table.panelWidth) / wordDepth
        let panels = memory + range.lowerBound * columnBytes
        FloatMemory.withScratch(rows * (stride + 1)) { scratch in
            let rowScales = scratch, a32 = scratch + rows
            a32.withMemoryRebound(to: Int32.self, capacity: rows * stride) { a32 in
                switch element {
                case .bytes:
                    for row in 0..<rows { rowScales[row] = table.quantise(a + row * lda, depth, a32 + row * stride) }
                    table.byteProduct(
                        rows, range.count, words, a32, stride, rowScales, panels.assumingMemoryBound(to: Int8.self),
                        scales + range.lowerBound, starts + range.lowerBound, bias, c, ldc)
                case .bf16:
                    for row in 0..<rows { table.roundToBF16(a + row * lda, depth, a32 + row * stride) }
                    table.bf16Product(
                        rows, range.count, words, a32, stride, panels.assumingMemoryBound(to: UInt16.self), bias, c,
                        ldc)
                }
            }
        }
    }

    /// Column `column` as float32 again, `[depth]`: not quite what was packed.
    func copyColumn(_ column: Int, into out: UnsafeMutablePointer<Float>) {
        let width = table.panelWidth, panel = memory + column / width * width * columnBytes
        let place = column % width
        switch element {
        case .bytes:
            let (bytes, wordDepth) = (panel.assumingMemoryBound(to: Int8.self), table.wordDepth)
            for k in 0..<depth {
                let q = bytes[(k / wordDepth * width + place) * wordDepth + k % wordDepth]
                out[k] = Float(q) * scales[column]
            }
        case .bf16:
            let halves = panel.assumingMemoryBound(to: UInt16.self)
            for k in 0..<depth {
                out[k] = Float(bitPattern: UInt32(halves[(k / 2 * width + place) * 2 + k % 2]) << 16)
            }
        }
    }
}
