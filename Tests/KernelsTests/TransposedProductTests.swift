import Kernels
import TestSupport
import Testing

@Suite("Products of a transposed A") struct TransposedProductTests {
    /// Odd sizes, and some larger than every block.
    static let sizes = [
        (1, 1, 1), (1, 40, 7), (2, 9, 33), (3, 5, 1), (17, 33, 15), (50, 20, 100), (131, 270, 90), (61, 24, 801),
    ]
    static let cases = KernelImplementation.available.flatMap { form in
        sizes.flatMap { size in [MatrixProduct.Layout.rows, .columns].map { (form, size, $0) } }
    }

    private func rows(_ a: [Float], _ m: Int, _ k: Int, lda: Int) -> [Float] {
        (0..<m).flatMap { i in (0..<k).map { a[$0 * lda + i] } }
    }

    @Test("they are those of the copied transpose, scaled and accumulated", arguments: cases)
    func product(form: KernelImplementation, size: (Int, Int, Int), layout: MatrixProduct.Layout) {
        let (m, n, k) = size
        let lda = m + 3, ldb = (layout == .rows ? n : k) + 2, ldc = n + 1
        var generator = SeededGenerator(seed: UInt64(m * 1000 + n * 10 + k))
        let a = generator.floats(k * lda), b = generator.floats((layout == .rows ? k : n) * ldb)
        let before = generator.floats(m * ldc)
        let turned = rows(a, m, k, lda: lda)
        for (alpha, accumulating) in [(1, false), (1, true), (-0.5, false), (-0.5, true)] as [(Float, Bool)] {
            func make(_ a: [Float], _ lda: Int, transposed: Bool, _ form: KernelImplementation) -> [Float] {
                var c = before
                MatrixProduct.multiply(
                    m: m, n: n, k: k, alpha: alpha, a, lda: lda, transposed: transposed, b, ldb: ldb, layout, into: &c,
                    ldc: ldc, accumulating: accumulating, using: form)
                return c
            }
            let made = make(a, lda, transposed: true, form)
            #expect(largestDifference(made, make(turned, k, transposed: false, .reference)) < 1e-6 * Float(k) + 1e-6)
            // Our own kernels turn blocks and go on as ever.
            if form.hasPanels { #expect(made == make(turned, k, transposed: false, form)) }
            var shared = before
            MatrixProduct.multiplyOnAllThreads(
                m: m, n: n, k: k, alpha: alpha, a, lda: lda, transposed: true, b, ldb: ldb, layout, into: &shared,
                ldc: ldc, accumulating: accumulating, using: form)
            #expect(largestDifference(made, shared) < 1e-6 * Float(k) + 1e-6)
        }
    }

    @Test("what threads share does not depend on them", arguments: KernelImplementation.available, [false, true])
    func shared(form: KernelImplementation, transposed: Bool) {
        let (m, n, k) = (300, 290, 70)
        var generator = SeededGenerator(seed: 5)
        let a = generator.floats(m * k), b = generator.floats(n * k)
        func make() -> [Float] {
            var c = [Float](repeating: .nan, count: m * n)
            MatrixProduct.multiplyOnAllThreads(
                m: m, n: n, k: k, a, lda: transposed ? m : k, transposed: transposed, b, ldb: k, .columns, into: &c,
                ldc: n, using: form)
            return c
        }
        var alone: [Float] = []
        // Within a task all tasks run on the thread that calls.
        Parallel.forEach(2) { if $0 == 0 { alone = make() } }
        #expect(make() == alone)
        #expect(alone.allSatisfy { $0.isFinite })
    }

    @Test("of nothing they are nothing, or what was there", arguments: KernelImplementation.available)
    func empty(form: KernelImplementation) {
        var c: [Float] = [1, 2, 3, 4, 5, 6]
        MatrixProduct.multiply(
            m: 3, n: 2, k: 0, [], lda: 3, transposed: true, [], ldb: 2, .rows, into: &c, ldc: 2, accumulating: true,
            using: form)
        #expect(c == [1, 2, 3, 4, 5, 6])
        MatrixProduct.multiply(
            m: 3, n: 2, k: 0, [], lda: 3, transposed: true, [], ldb: 2, .rows, into: &c, ldc: 2, using: form)
        #expect(c == [0, 0, 0, 0, 0, 0])
    }
}
