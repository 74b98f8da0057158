import TestSupport
import Testing

@testable import Kernels

/// The forms whose products read panels, with what they are called over.
private let panelForms = KernelImplementation.available.filter(\.hasPanels)

/// Depths around the block that sums are cut into.
private let depths = [0, 1, 2, 191, 192, 193, 385, 800]

@Suite("Products over panels, against their definition")
struct PanelTests {
    /// Rows around the height of a tile.
    private static func rows(_ table: KernelTable) -> [Int] {
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, table.tileRows * 2 - 1, table.tileRows * 2 + 1, 33]
    }

    /// Columns around the width of a panel, and of four, which a vector is multiplied by at a time.
    private static func columns(_ table: KernelTable) -> [Int] {
        let width = table.panelWidth
        return [1, 2, width - 1, width, width + 1, 4 * width, 4 * width + 3, 5 * width]
    }

    /// Numbers that half precision has.
    private func halves(_ count: Int, _ generator: inout SeededGenerator) -> [Float] {
        generator.floats(count).map { Float(Float16($0)) }
    }

    private struct Sizes { let rows, columns, depth: Int }

    /// Σ a · b, rounded to float32 by parts of 192 as kernels cut it, so that the limit is that of one part's rounding.
    private func expectation(_ a: [Float], _ lda: Int, _ b: [Float], _ size: Sizes) -> [Double] {
        (0..<size.rows).flatMap { row in
            (0..<size.columns).map { column in
                (0..<size.depth).reduce(0.0) { $0 + Double(a[row * lda + $1]) * Double(b[column * size.depth + $1]) }
            }
        }
    }

    @Test(
        "the product and its row alone, of float32 and of half precision, with and without a start, onto what is there",
        arguments: panelForms, depths)
    func definition(form: KernelImplementation, depth: Int) throws {
        let table = try #require(form.table)
        var generator = SeededGenerator(seed: UInt64(depth))
        var room = [Float](repeating: .nan, count: table.widenedCount)
        for columns in Self.columns(table) {
            let padded = columns.rounded(upTo: table.panelWidth)
            let b = halves(columns * depth, &generator)
            var panels = [Float](repeating: .nan, count: padded * depth + 1)
            var halfPanels = [UInt16](repeating: 0x7E00, count: padded * depth + 1)
            table.pack(b, depth, depth, columns, true, &panels)
            #expect(table.packHalves(b, depth, columns, &halfPanels))
            #expect(panels.last!.isNaN && halfPanels.last == 0x7E00, "no more is written than the panels have")
            #expect(zip(panels, halfPanels).dropLast().allSatisfy { $0 == Float(Float16(bitPattern: $1)) })
            for rows in Self.rows(table) where rows < 10 || columns < 2 * table.panelWidth {
                // What lies between rows of A is never read, what lies between rows of C never written.
                let lda = depth + 3, ldc = columns + 2
                var a = generator.floats(rows * lda + 1)
                for i in a.indices where i % lda >= depth { a[i] = .nan }
                let start = generator.floats(columns), before = generator.floats(rows * ldc)
                let sums = expectation(a, lda, b, Sizes(rows: rows, columns: columns, depth: depth))
                for (start, accumulating) in [(nil, false), (start, false), (nil, true)] as [([Float]?, Bool)] {
                    let name = "\(form) \(rows) × \(columns) × \(depth), start \(start != nil), onto \(accumulating)"
                    var (c, ofHalves) = (before, before)
                    // A start has room for whole panels.
                    let padding = start.map { $0 + [Float](repeating: .nan, count: padded - columns) }
                    func run(_ start: UnsafePointer<Float>?) {
                        table.product(rows, columns, depth, a, lda, panels, start, &c, ldc, accumulating)
                        table.productOfHalves(
                            rows, columns, depth, a, lda, halfPanels, start, &ofHalves, ldc, accumulating, &room)
                    }
                    if let padding { padding.withUnsafeBufferPointer { run($0.baseAddress) } } else { run(nil) }
                    #expect(c == ofHalves, "half precision gives the same bits: \(name)")
                    var worst = 0.0
                    for i in c.indices {
                        let (row, column) = (i / ldc, i % ldc)
                        guard column < columns else {
                            #expect(c[i] == before[i], "between rows: \(name)")
                            continue
                        }
                        let first = accumulating ? Double(before[i]) : Double(start?[column] ?? 0)
                        worst = max(worst, abs(Double(c[i]) - (first + sums[row * columns + column])))
                    }
                    // Roundings of sums that grow as the root of their number come to 1.5e-8 · depth; the worst of
                    // thousands of results is several times as far off.
                    #expect(worst <= 1.2e-7 * Double(4 + depth), "\(name)")
                    // A row alone is the row among others, to the bit.
                    for row in [0, rows / 2, rows - 1] where rows > 0 && !accumulating {
                        var (alone, aloneOfHalves) = (
                            [Float](repeating: -7, count: columns + 1), [Float](repeating: -7, count: columns + 1)
                        )
                        func run(_ start: UnsafePointer<Float>?) {
                            let a = Array(a[row * lda..<row * lda + depth])
                            table.vectorProduct(columns, depth, a, panels, start, &alone, false)
                            table.vectorProductOfHalves(columns, depth, a, halfPanels, start, &aloneOfHalves, false)
                        }
                        if let padding { padding.withUnsafeBufferPointer { run($0.baseAddress) } } else { run(nil) }
                        #expect(Array(alone[..<columns]) == Array(c[row * ldc..<row * ldc + columns]), "\(name)")
                        #expect(alone == aloneOfHalves && alone[columns] == -7, "\(name)")
                    }
                }
            }
        }
    }

    @Test(
        "rows of B that lie as they are pack as the transposed ones do, with room between them", arguments: panelForms)
    func packing(form: KernelImplementation) throws {
        let table = try #require(form.table)
        var generator = SeededGenerator(seed: 3)
        for (depth, columns) in [(1, 1), (5, table.panelWidth - 1), (7, table.panelWidth * 2 + 3)] {
            let b = generator.floats(columns * depth)
            // [depth, columns] and [columns, depth], rows two elements further apart than they are long.
            var (plain, transposed) = ([Float](), [Float]())
            for k in 0..<depth { plain += (0..<columns).map { b[$0 * depth + k] } + [.nan, .nan] }
            for j in 0..<columns { transposed += b[j * depth..<(j + 1) * depth] + [.nan, .nan] }
            let count = columns.rounded(upTo: table.panelWidth) * depth
            var (p, t) = ([Float](repeating: -7, count: count), [Float](repeating: -7, count: count))
            table.pack(plain, columns + 2, depth, columns, false, &p)
            table.pack(transposed, depth + 2, depth, columns, true, &t)
            #expect(p == t)
            // Panel, row, column; zeros behind the last column.
            for i in p.indices {
                let (panel, k, j) = (i / (table.panelWidth * depth), i / table.panelWidth % depth, i % table.panelWidth)
                let column = panel * table.panelWidth + j
                #expect(p[i] == (column < columns ? b[column * depth + k] : 0))
            }
        }
    }

    @Test("infinities and numbers that are none go where the definition has them", arguments: panelForms)
    func notFinite(form: KernelImplementation) throws {
        let table = try #require(form.table)
        let (rows, columns, depth) = (9, table.panelWidth + 3, 20)
        var generator = SeededGenerator(seed: 4)
        var a = generator.floats(rows * depth), b = generator.floats(columns * depth)
        a[4 * depth + 3] = .nan
        a[6 * depth] = .infinity
        b[5 * depth + 2] = .infinity
        var panels = [Float](repeating: 0, count: columns.rounded(upTo: table.panelWidth) * depth)
        var c = [Float](repeating: 0, count: rows * columns)
        table.pack(b, depth, depth, columns, true, &panels)
        table.product(rows, columns, depth, a, depth, panels, nil, &c, columns, false)
        for row in 0..<rows {
            for column in 0..<columns {
                let expected = (0..<depth).reduce(Float(0)) { $0 + a[row * depth + $1] * b[column * depth + $1] }
                let value = c[row * columns + column]
                #expect(
                    expected.isFinite
                        ? abs(value - expected) < 1e-5 : value == expected || (value.isNaN && expected.isNaN),
                    "row \(row), column \(column)")
            }
        }
    }

    @Test("numbers that half precision has are kept in it to the bit, others refuse", arguments: panelForms)
    func halfPrecision(form: KernelImplementation) throws {
        let table = try #require(form.table)
        // Subnormal ones down to the smallest, the largest, both zeros, infinities, what a fraction of ten bits ends with.
        let exact: [Float] = [
            0, -0.0, 1, -1, 65_504, -65_504, .infinity, -.infinity, 6.1035156e-05, 6.0975552e-05, 5.9604645e-08,
            -5.9604645e-08, 3.0517578e-05, 1.0009766, 0.33325195,
        ]
        for (length, shift) in [(1, 0), (7, 0), (8, 3), (15, 0), (16, 5), (33, 2)] {
            let values = (0..<length).map { exact[($0 + shift) % exact.count] }
            let padded = 3.rounded(upTo: table.panelWidth)
            var panels = [UInt16](repeating: 1, count: padded * length)
            #expect(table.packHalves(values + values + values, length, 3, &panels))
            for k in 0..<length {
                for j in 0..<table.panelWidth {
                    let expected = j < 3 ? Float16(values[k]).bitPattern : 0
                    #expect(panels[k * table.panelWidth + j] == expected, "\(values[k])")
                }
            }
        }
        for value: Float in [0.1, 65_505, 65_520, 1e30, 1e-8, -1e-40, .leastNonzeroMagnitude, 2.9802322e-08, 1.0004883]
        {
            for place in [0, 6, 20] {
                var values = [Float](repeating: 1, count: 21)
                values[place] = value
                var panels = [UInt16](repeating: 0, count: table.panelWidth * 21)
                #expect(!table.packHalves(values, 21, 1, &panels), "\(value) at \(place)")
            }
        }
    }
}

@Suite("Weights packed once")
struct PackedMatrixTests {
    private static let cases = KernelImplementation.available.flatMap { form in
        [(1, 1), (5, 51), (48, 384), (33, 801), (130, 20)].map { (form, $0) }
    }

    /// Whether the weights are in half precision's numbers.
    @Test(
        "give x Wᵀ + b, whole or in ranges of columns, the same bits from rows alone", arguments: cases, [false, true])
    func products(_ testCase: (form: KernelImplementation, shape: (columns: Int, depth: Int)), areHalves: Bool) {
        let (form, (columns, depth)) = testCase
        var generator = SeededGenerator(seed: UInt64(columns))
        let weights = generator.floats(columns * depth).map { areHalves ? Float(Float16($0)) : $0 }
        let matrix = PackedMatrix(Tensor(shape: [columns, depth], weights), for: form)
        #expect(matrix.columns == columns && matrix.depth == depth)
        let padded = columns.rounded(upTo: form.hasPanels ? form.table!.panelWidth : 1)
        #expect(matrix.byteCount == padded * depth * (areHalves && form.hasPanels ? 2 : 4))
        let rows = 11, lda = depth + 1, ldc = columns + 2
        let a = generator.floats(rows * lda), bias = generator.floats(columns + 64)
        for bias in [bias, nil] {
            var c = [Float](repeating: -7, count: rows * ldc)
            bias.withAddress { matrix.multiply(rows: rows, a, lda: lda, bias: $0, into: &c, ldc: ldc) }
            for row in 0..<rows {
                #expect(c[row * ldc + columns..<(row + 1) * ldc].allSatisfy { $0 == -7 })
                for column in 0..<columns {
                    let sum = (0..<depth).reduce(Double(bias?[column] ?? 0)) {
                        $0 + Double(a[row * lda + $1]) * Double(weights[column * depth + $1])
                    }
                    // See PanelTests.
                    #expect(abs(Double(c[row * ldc + column]) - sum) <= 1.2e-7 * Double(4 + depth))
                }
                // OpenBLAS multiplies a vector in another order.
                guard form.hasPanels else { continue }
                var alone = [Float](repeating: -7, count: columns)
                bias.withAddress {
                    matrix.multiply(rows: 1, Array(a[(row * lda)...]), lda: lda, bias: $0, into: &alone, ldc: columns)
                }
                #expect(alone == Array(c[row * ldc..<row * ldc + columns]))
            }
            let step = matrix.columnStep
            for range in [0..<columns, 0..<min(step, columns), columns / 2 / step * step..<columns, 0..<0] {
                var part = [Float](repeating: -7, count: rows * (range.count + 1))
                (bias.map { Array($0[range.lowerBound...]) }).withAddress {
                    matrix.multiply(
                        rows: rows, a, lda: lda, columns: range, bias: $0, into: &part, ldc: range.count + 1)
                }
                for row in 0..<rows {
                    let found = part[row * (range.count + 1)..<(row + 1) * (range.count + 1)]
                    let whole = c[row * ldc + range.lowerBound..<row * ldc + range.upperBound]
                    #expect(found.last == -7)
                    #expect(largestDifference(found.dropLast(), whole) <= (form.hasPanels ? 0 : 1e-5))
                }
            }
        }
        // Nothing is asked of no rows.
        matrix.multiply(rows: 0, a, lda: lda, bias: nil, into: UnsafeMutablePointer(bitPattern: 64)!, ldc: ldc)
    }

    @Test("give each column's weights back as they were, to the bit", arguments: cases, [false, true])
    func copies(_ testCase: (form: KernelImplementation, shape: (columns: Int, depth: Int)), areHalves: Bool) {
        let (form, (columns, depth)) = testCase
        var generator = SeededGenerator(seed: UInt64(depth))
        var weights = generator.floats(columns * depth).map { areHalves ? Float(Float16($0)) : $0 }
        for (i, value) in [Float(-0.0), .infinity, -5.9604645e-08, 65_504].enumerated() {
            weights[i * 7 % weights.count] = value
        }
        let matrix = PackedMatrix(Tensor(shape: [columns, depth], weights), for: form)
        for column in 0..<columns {
            var copy = [Float](repeating: 0, count: depth)
            matrix.copyWeights(ofColumn: column, into: &copy)
            #expect(copy.map(\.bitPattern) == weights[column * depth..<(column + 1) * depth].map(\.bitPattern))
        }
    }
}

extension Optional<[Float]> {
    /// Runs `body` with the elements' address, or with nil.
    fileprivate func withAddress(_ body: (UnsafePointer<Float>?) -> Void) {
        guard let self else { return body(nil) }
        self.withUnsafeBufferPointer { body($0.baseAddress) }
    }
}
