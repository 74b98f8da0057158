import Kernels
import TestSupport
import Testing

@Suite struct MatrixProductTests {
    static let sizes = [(1, 1, 1), (1, 7, 5), (1, 300, 64), (2, 1, 9), (5, 51, 384), (17, 33, 15), (130, 64, 150)]
    static let cases = KernelImplementation.available.flatMap { form in
        sizes.flatMap { size in [MatrixProduct.Layout.rows, .columns].map { (form, size, $0) } }
    }

    @Test("a product equals its definition, with room between rows, scaled and accumulated", arguments: cases)
    func product(form: KernelImplementation, size: (Int, Int, Int), layout: MatrixProduct.Layout) {
        let (m, n, k) = size
        let lda = k + 3, ldb = (layout == .rows ? n : k) + 2, ldc = n + 1
        var generator = SeededGenerator(seed: UInt64(m * 1000 + n * 10 + k))
        let a = generator.floats(m * lda), b = generator.floats((layout == .rows ? k : n) * ldb)
        let before = generator.floats(m * ldc)
        for accumulating in [false, true] {
            var c = before
            c.withUnsafeMutableBufferPointer {
                MatrixProduct.multiply(
                    m: m, n: n, k: k, alpha: 0.5, a, lda: lda, b, ldb: ldb, layout, into: $0.baseAddress!, ldc: ldc,
                    accumulating: accumulating, using: form)
            }
            var expected = before
            for i in 0..<m {
                for j in 0..<n {
                    let sum = (0..<k).reduce(0.0) { sum, p in
                        sum + Double(a[i * lda + p]) * Double(layout == .rows ? b[p * ldb + j] : b[j * ldb + p])
                    }
                    expected[i * ldc + j] = Float(0.5 * sum) + (accumulating ? before[i * ldc + j] : 0)
                }
            }
            // Rounding of k products of numbers below 1.
            #expect(largestDifference(c, expected) < 1e-6 * Float(k) + 1e-6)
        }
    }

    @Test("rows that overlap make a convolution", arguments: KernelImplementation.available)
    func overlappingRows(form: KernelImplementation) {
        // Three taps over a signal of 4 channels, a step of one frame and of two.
        var generator = SeededGenerator(seed: 3)
        let channels = 4, frames = 21, outputs = 5
        let signal = generator.floats((frames + 2) * channels), weight = generator.floats(outputs * 3 * channels)
        for step in [1, 2] {
            let rows = frames / step
            var c = Array(repeating: Float(0), count: rows * outputs)
            c.withUnsafeMutableBufferPointer {
                MatrixProduct.multiply(
                    m: rows, n: outputs, k: 3 * channels, signal, lda: step * channels, weight, ldb: 3 * channels,
                    .columns, into: $0.baseAddress!, ldc: outputs, using: form)
            }
            let expected = (0..<rows).flatMap { row in
                (0..<outputs).map { o in
                    (0..<3 * channels).reduce(Float(0)) {
                        $0 + signal[row * step * channels + $1] * weight[o * 3 * channels + $1]
                    }
                }
            }
            #expect(largestDifference(c, expected) < 1e-5)
        }
    }

    @Test(
        "few rows and every depth around the blocks of a sum, scaled by anything",
        arguments: KernelImplementation.available, [MatrixProduct.Layout.rows, .columns])
    func depths(form: KernelImplementation, layout: MatrixProduct.Layout) {
        for k in [0, 1, 191, 192, 193, 385, 800] {
            for m in [0, 1, 2, 3, 4, 5, 9] {
                for (n, alpha) in [(1, Float(1)), (33, -0.25), (257, 1), (33, 0)] {
                    let lda = k + 1, ldb = (layout == .rows ? n : k) + 2, ldc = n + 3
                    var generator = SeededGenerator(seed: UInt64(k * 100 + m * 10 + n))
                    let a = generator.floats(m * lda + 1), b = generator.floats((layout == .rows ? k : n) * ldb + 1)
                    let before = generator.floats(m * ldc + 1)
                    for accumulating in [false, true] {
                        var c = before
                        MatrixProduct.multiply(
                            m: m, n: n, k: k, alpha: alpha, a, lda: lda, b, ldb: ldb, layout, into: &c, ldc: ldc,
                            accumulating: accumulating, using: form)
                        var worst = 0.0
                        for (i, value) in c.enumerated() {
                            let (row, column) = (i / ldc, i % ldc)
                            guard row < m, column < n else {
                                #expect(value == before[i], "\(m) × \(n) × \(k): between rows")
                                continue
                            }
                            let sum = (0..<k).reduce(0.0) { sum, p in
                                sum + Double(a[row * lda + p])
                                    * Double(layout == .rows ? b[p * ldb + column] : b[column * ldb + p])
                            }
                            let expected = Double(alpha) * sum + (accumulating ? Double(before[i]) : 0)
                            worst = max(worst, abs(Double(value) - expected))
                        }
                        // k roundings of sums that grow as the root of their number come to 1.5e-8 k; the worst of
                        // thousands of results is several times as far off.
                        #expect(worst <= 1.2e-7 * Double(4 + k), "\(m) × \(n) × \(k), α = \(alpha)")
                    }
                }
            }
        }
    }
}
