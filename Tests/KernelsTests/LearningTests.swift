import Kernels
import TestSupport
import Testing

/// Every form of what a training does to its weights against plain arithmetic.
@Suite("Operations of learning") struct LearningTests {
    static let cases = KernelImplementation.available.flatMap { form in awkwardLengths.map { (form, $0) } }

    @Test("Adam's steps are those of its definition in double precision", arguments: cases)
    func adam(form: KernelImplementation, length: Int) {
        var generator = SeededGenerator(seed: UInt64(length))
        // One element in, so that vector loads are unaligned.
        var w = generator.floats(length + 1), m = [Float](repeating: 0, count: length + 1), v = m
        var expected = w.map(Double.init), first = m.map(Double.init), second = first
        for step in 1...4 {
            let g = generator.floats(length + 1, in: -0.01...0.01)
            let adam = AdamStep(rate: 1e-2, step: step)
            w.withUnsafeMutableBufferPointer { w in
                m.withUnsafeMutableBufferPointer { m in
                    v.withUnsafeMutableBufferPointer { v in
                        g.withUnsafeBufferPointer { g in
                            adam.update(
                                w.baseAddress! + 1, first: m.baseAddress! + 1, second: v.baseAddress! + 1,
                                gradient: g.baseAddress! + 1, count: length, using: form)
                        }
                    }
                }
            }
            for i in 1..<(length + 1) {
                let slope = Double(g[i])
                first[i] = 0.9 * first[i] + 0.1 * slope
                second[i] = 0.999 * second[i] + 0.001 * slope * slope
                let (one, two) = (first[i] / (1 - power(0.9, step)), second[i] / (1 - power(0.999, step)))
                expected[i] -= 1e-2 * one / (two.squareRoot() + 1e-8)
            }
        }
        // Four steps of about 0.01, each wrong by a few roundings and by those of 1 − 0.999ᵗ.
        #expect(largestDifference(w, expected.map(Float.init)) < 2e-6)
        #expect(largestDifference(m, first.map(Float.init)) < 1e-8)
        #expect(largestDifference(v, second.map(Float.init)) < 1e-10)
    }

    private func power(_ base: Double, _ exponent: Int) -> Double { (0..<exponent).reduce(1) { x, _ in x * base } }

    @Test(
        "a direction keeps the length 1 and is not moved by a slope along itself",
        arguments: KernelImplementation.available)
    func direction(form: KernelImplementation) {
        let adam = AdamStep(rate: 0.1, step: 1)
        var w: [Float] = [0.6, 0, 0.8], m: [Float] = [0, 0, 0], v = m
        var along: [Float] = [6, 0, 8]
        adam.updateDirection(&w, first: &m, second: &v, gradient: &along, count: 3, using: form)
        #expect(largestDifference(along, [0, 0, 0]) < 1e-5)
        var across: [Float] = [6, 2, 8]
        w = [0.6, 0, 0.8]
        (m, v) = ([0, 0, 0], [0, 0, 0])
        adam.updateDirection(&w, first: &m, second: &v, gradient: &across, count: 3, using: form)
        #expect(w[1] < -0.05)
        #expect(abs(w.reduce(0) { $0 + $1 * $1 } - 1) < 1e-6)
        // Nothing has no direction, and stays.
        (w, m, v, across) = ([0, 0], [0, 0], [0, 0], [0, 0])
        adam.updateDirection(&w, first: &m, second: &v, gradient: &across, count: 2, using: form)
        #expect(w == [0, 0])
    }

    @Test("scaled sums and products of rows", arguments: cases)
    func sums(form: KernelImplementation, length: Int) {
        var generator = SeededGenerator(seed: UInt64(length) + 3)
        let x = generator.floats(length), y = generator.floats(length)
        var sum = y
        Elementwise.addScaled(x, by: -1.5, to: &sum, count: length, using: form)
        #expect(largestDifference(sum, zip(x, y).map { $1 - 1.5 * $0 }) < 1e-6)
        let dot = zip(x, y).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
        #expect(abs(Double(Elementwise.dot(x, y, count: length, using: form)) - dot) < 1e-6 * Double(length) + 1e-6)
    }

    @Test("sums of rows that lie anywhere", arguments: cases)
    func gathered(form: KernelImplementation, length: Int) {
        guard length > 0 else { return }
        var generator = SeededGenerator(seed: UInt64(length) + 4)
        let x = generator.floats(9 * (length + 2))
        for rows in [[], [3], [8, 0], [1, 1, 7], [5, 2, 0, 8, 6]] as [[Int32]] {
            let weights = generator.floats(rows.count)
            var out = [Float](repeating: .nan, count: length)
            rows.withUnsafeBufferPointer {
                GatheredRows.weightedSum(
                    weights, x, stride: length + 2, rows: $0, width: length, into: &out, using: form)
            }
            let expected = (0..<length).map { i in
                zip(weights, rows).reduce(Float(0)) { $0 + $1.0 * x[Int($1.1) * (length + 2) + i] }
            }
            #expect(largestDifference(out, expected) < 1e-6)
        }
    }

    @Test(
        "what is above a bound is found in order, and the n-th largest of groups is no more than of all",
        arguments: cases)
    func selection(form: KernelImplementation, length: Int) {
        var generator = SeededGenerator(seed: UInt64(length) + 5)
        var x = generator.floats(length).map { ($0 * 8).rounded() / 8 }
        if length > 8 { (x[1], x[length - 1]) = (.nan, .infinity) }
        var places = [Int32](repeating: -1, count: length)
        for bound in [-2, 0, 0.25, 1, .infinity] as [Float] {
            let found = Selection.collect(x, count: length, above: bound, into: &places, using: form)
            #expect(places.prefix(found).map(Int.init) == x.indices.filter { x[$0] > bound })
        }
        let bounds = generator.floats(length)
        let found = Selection.collect(x, count: length, aboveEach: bounds, into: &places, using: form)
        #expect(places.prefix(found).map(Int.init) == x.indices.filter { x[$0] > bounds[$0] })
        let sorted = x.filter { !$0.isNaN }.sorted(by: >)
        for span in [1, 2, 5, 40] {
            var maxima = [Float](repeating: .nan, count: length)
            let groups = Selection.maxima(x, count: length, span: span, into: &maxima, using: form)
            #expect(groups >= length / max(span, 1) && groups <= length)
            for (one, all) in zip(maxima.prefix(groups).filter { !$0.isNaN }.sorted(by: >), sorted) {
                #expect(one <= all)
            }
            if length > 8 { #expect(maxima.prefix(groups).contains(.infinity)) }
        }
    }

    @Test("products in double precision are right to their last digits", arguments: KernelImplementation.available)
    func doubles(form: KernelImplementation) {
        var generator = SeededGenerator(seed: 6)
        for (m, n, k) in [(1, 1, 1), (2, 9, 30), (4, 8, 0), (5, 16, 33), (7, 35, 64), (13, 40, 5)] {
            let (lda, ldb, ldc) = (k + 1, n + 2, n + 3)
            let a = generator.floats(m * lda).map(Double.init), b = generator.floats(k * ldb).map(Double.init)
            let before = generator.floats(m * ldc).map(Double.init)
            for accumulating in [false, true] {
                var c = before
                DoubleProduct.multiply(
                    m: m, n: n, k: k, a, lda: lda, b, ldb: ldb, into: &c, ldc: ldc, accumulating: accumulating,
                    using: form)
                for i in 0..<m {
                    for j in 0..<ldc {
                        let sum = j < n ? (0..<k).reduce(0.0) { $0 + a[i * lda + $1] * b[$1 * ldb + j] } : 0
                        let start = accumulating || j >= n ? before[i * ldc + j] : 0
                        #expect(abs(c[i * ldc + j] - start - sum) < 1e-13)
                    }
                }
            }
        }
    }
}
