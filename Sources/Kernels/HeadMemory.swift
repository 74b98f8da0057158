/// Keys and values of several heads, laid out for queries to attend to: the encoder's own and those of the audio.
///
/// Kᵀ lies in panels of keys and V in panels of columns, as products read them; where products are OpenBLAS's or plain, both
/// stay rows. In another ``Precision`` than `exact` keys are in fewer bits, and so are queries where they meet them; patterns and
/// values stay float32, since rounding those would cost as much accuracy again. Rows may be written from several threads at once, each its own.
public final class HeadMemory: @unchecked Sendable {
    // Sendable: writers share no row, and readers come after the last of them.

    /// Rows of keys and values.
    public let positions: Int
    public let heads: Int
    /// Elements of one head.
    public let width: Int

    private let implementation: KernelImplementation
    private let keys: UnsafeMutablePointer<Float>
    /// Of each head, in fewer bits: then `keys` has none, but for the plain form, which rounds them when they are read.
    private let keyWords: [WordPanels]
    private let element: WordPanels.Element?
    private let values: UnsafeMutablePointer<Float>
    private let keyCount: Int
    private let valueCount: Int
    /// Columns of a panel; 0 without panels.
    private let panelWidth: Int

    public init(
        positions: Int, heads: Int, width: Int, precision: Precision = .exact,
        for implementation: KernelImplementation = .current
    ) {
        precondition(positions > 0 && heads > 0 && width > 0, "\(positions) positions of \(heads) heads of \(width)")
        (self.positions, self.heads, self.width, self.implementation) = (positions, heads, width, implementation)
        panelWidth = implementation.hasPanels ? implementation.table!.panelWidth : 0
        let padded = panelWidth == 0 ? positions : positions.rounded(upTo: panelWidth)
        element = precision.element
        if let element, let table = implementation.table {
            keyWords = (0..<heads).map { _ in WordPanels(depth: width, columns: positions, of: element, table) }
        } else {
            keyWords = []
        }
        keyCount = keyWords.isEmpty ? heads * width * padded : 0
        valueCount = heads * positions * (panelWidth == 0 ? width : width.rounded(upTo: panelWidth))
        // Together, so that they are large enough for huge pages.
        keys = FloatMemory.take(keyCount + valueCount)
        values = keys + keyCount
        // The last panel's keys that there are not.
        guard keyCount > 0, padded > positions else { return }
        for head in 0..<heads {
            (keys + (head * padded + padded - panelWidth) * width).update(repeating: 0, count: panelWidth * width)
        }
    }

    deinit {
        FloatMemory.give(keys, keyCount + valueCount)
    }

    /// Elements between two rows of scores that have room for whole panels.
    public var scoreStride: Int { panelWidth == 0 ? positions : positions.rounded(upTo: panelWidth) }

    /// Writes rows `first ..< first + count` of keys and values, `[count, heads · width]` each.
    public func write(
        keys k: UnsafePointer<Float>, values v: UnsafePointer<Float>, first: Int, count: Int
    ) {
        precondition(first >= 0 && first + count <= positions, "rows \(first) + \(count) of \(positions)")
        let stride = heads * width
        for (head, words) in keyWords.enumerated() {
            words.pack(k + head * width, ldb: stride, columns: first..<first + count)
        }
        guard panelWidth > 0, let table = implementation.table else {
            if keyWords.isEmpty { (keys + first * stride).update(from: k, count: count * stride) }
            (values + first * stride).update(from: v, count: count * stride)
            return
        }
        let valuePanel = positions * panelWidth
        for head in 0..<heads {
            if keyWords.isEmpty { write(keys: k + head * width, stride, first..<first + count, of: head) }
            for column in Swift.stride(from: 0, to: width, by: panelWidth) {
                let panel = head * width.rounded(upTo: panelWidth) + column
                table.pack(
                    v + head * width + column, stride, count, min(panelWidth, width - column), false,
                    values + panel / panelWidth * valuePanel + first * panelWidth)
            }
        }
    }

    /// Keys of one head, into the panels that they fall into.
    private func write(keys k: UnsafePointer<Float>, _ stride: Int, _ rows: Range<Int>, of head: Int) {
        guard let learning = implementation.learning else { return }
        let panels = keys + head * width * scoreStride
        var row = rows.lowerBound
        while row < rows.upperBound {
            let place = row % panelWidth, count = min(panelWidth - place, rows.upperBound - row)
            learning.transpose(
                k + (row - rows.lowerBound) * stride, stride, count, width, panels + (row - place) * width + place,
                panelWidth)
            row += count
        }
    }

    /// A range of keys around `keys` that products can be made of alone: where those outside weigh nothing, the weighted sums are equal to
    /// the bit to those of all keys. All of them where this form's products have no such parts.
    public func part(around keys: Range<Int>) -> Range<Int> {
        guard panelWidth > 0, keyWords.isEmpty, element == nil, let table = implementation.table else {
            return 0..<positions
        }
        // Sums are made of so many keys at a time, and panels begin there too.
        let step = table.depthBlock
        assert(step % panelWidth == 0)
        return keys.lowerBound / step * step..<min(positions, keys.upperBound.rounded(upTo: step))
    }

    /// Scores of `rows` queries of one head: factor · q kᵀ, `[rows, positions]`.
    ///
    /// - Parameters:
    ///   - q: the queries, rows `ldq` apart.
    ///   - keys: a range that ``part(around:)`` gave, whose scores alone are made, `[rows, keys]`; nil for all.
    ///   - out: rows `stride` apart; with a stride of ``scoreStride`` what lies behind a row's end is overwritten.
    public func scores(
        head: Int, _ q: UnsafePointer<Float>, ldq: Int, rows: Int, factor: Float, keys part: Range<Int>? = nil,
        into out: UnsafeMutablePointer<Float>, stride: Int
    ) {
        let part = part ?? 0..<positions
        guard part == 0..<positions else { return partOfScores(head, q, ldq, rows, factor, part, out, stride) }
        if let element { return roundedScores(element, head, q, ldq, rows, factor, out, stride) }
        guard panelWidth > 0, let table = implementation.table else {
            return MatrixProduct.multiply(
                m: rows, n: positions, k: width, alpha: factor, q, lda: ldq, keys + head * width, ldb: heads * width,
                .columns, into: out, ldc: stride, using: implementation)
        }
        FloatMemory.withScratch(rows * width) { scaled in
            for row in 0..<rows { table.scale(q + row * ldq, factor, scaled + row * width, width) }
            let panels = keys + head * width * scoreStride, columns = stride == scoreStride ? stride : positions
            if rows == 1 {
                table.vectorProduct(columns, width, scaled, panels, nil, out, false)
            } else {
                table.product(rows, columns, width, scaled, width, panels, nil, out, stride, false)
            }
        }
    }

    private func partOfScores(
        _ head: Int, _ q: UnsafePointer<Float>, _ ldq: Int, _ rows: Int, _ factor: Float, _ part: Range<Int>,
        _ out: UnsafeMutablePointer<Float>, _ stride: Int
    ) {
        guard let table = implementation.table else { return }
        FloatMemory.withScratch(rows * width) { scaled in
            for row in 0..<rows { table.scale(q + row * ldq, factor, scaled + row * width, width) }
            let panels = keys + (head * scoreStride + part.lowerBound) * width
            table.product(rows, part.count, width, scaled, width, panels, nil, out, stride, false)
        }
    }

    private func roundedScores(
        _ element: WordPanels.Element, _ head: Int, _ q: UnsafePointer<Float>, _ ldq: Int, _ rows: Int, _ factor: Float,
        _ out: UnsafeMutablePointer<Float>, _ stride: Int
    ) {
        FloatMemory.withScratch(rows * width) { scaled in
            for row in 0..<rows {
                Elementwise.scale(
                    q + row * ldq, by: factor, into: scaled + row * width, count: width, using: implementation)
            }
            if keyWords.isEmpty {
                let rowsOfHead = Tensor(
                    shape: [positions, width],
                    (0..<positions * width).map { [keys, heads, width] in
                        keys[$0 / width * heads * width + head * width + $0 % width]
                    })
                PlainWords(rowsOfHead, of: element).multiply(rows, scaled, width, 0..<positions, nil, out, stride)
            } else {
                keyWords[head].multiply(
                    rows, scaled, width, 0..<(stride == scoreStride ? stride : positions), nil, out, stride)
            }
        }
    }

    /// The weighted sum of one head's values: pattern · V, `[rows, width]`.
    /// - Parameter keys: as in ``scores(head:_:ldq:rows:factor:keys:into:stride:)``: whose pattern it is, `[rows, keys]`.
    public func weighted(
        head: Int, _ pattern: UnsafePointer<Float>, stride: Int, rows: Int, keys part: Range<Int>? = nil,
        into z: UnsafeMutablePointer<Float>, ldz: Int
    ) {
        if let part, part != 0..<positions { return weightedPart(head, pattern, stride, rows, part, z, ldz) }
        guard panelWidth > 0, let table = implementation.table else {
            return MatrixProduct.multiply(
                m: rows, n: width, k: positions, pattern, lda: stride, values + head * width, ldb: heads * width,
                .rows, into: z, ldc: ldz, using: implementation)
        }
        let panels = values + head * width.rounded(upTo: panelWidth) * positions
        if rows == 1 {
            table.vectorProduct(width, positions, pattern, panels, nil, z, false)
        } else {
            table.product(rows, width, positions, pattern, stride, panels, nil, z, ldz, false)
        }
    }

    private func weightedPart(
        _ head: Int, _ pattern: UnsafePointer<Float>, _ stride: Int, _ rows: Int, _ part: Range<Int>,
        _ z: UnsafeMutablePointer<Float>, _ ldz: Int
    ) {
        guard let table = implementation.table else { return }
        let panels = values + head * width.rounded(upTo: panelWidth) * positions
        // A panel of columns has rows of all keys, so each is a product by itself.
        for column in Swift.stride(from: 0, to: width, by: panelWidth) {
            table.product(
                rows, min(panelWidth, width - column), part.count, pattern, stride,
                panels + column * positions + part.lowerBound * panelWidth, nil, z + column, ldz, false)
        }
    }
}

extension Int {
    /// The smallest multiple of `step` that is not below.
    func rounded(upTo step: Int) -> Int { (self + step - 1) / step * step }
}
