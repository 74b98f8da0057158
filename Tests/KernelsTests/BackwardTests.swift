import Foundation
import Kernels
import TestSupport
import Testing

/// Every vector-Jacobian product against central differences, in double precision, of the operation's own definition.
@Suite("Vector-Jacobian products") struct BackwardTests {
    static let cases = KernelImplementation.available.flatMap { form in awkwardLengths.map { (form, $0) } }

    /// Σ gᵢ ∂fᵢ/∂xⱼ for every j: the difference of Σ gᵢ fᵢ on both sides of x.
    private func differences(
        _ g: [Float], at x: [Float], step: Double = 1e-5, _ f: ([Double]) -> [Double]
    ) -> [Float] {
        let x = x.map(Double.init)
        func objective(_ x: [Double]) -> Double { zip(g, f(x)).reduce(0) { $0 + Double($1.0) * $1.1 } }
        return x.indices.map { i in
            var (above, below) = (x, x)
            above[i] += step
            below[i] -= step
            return Float((objective(above) - objective(below)) / (2 * step))
        }
    }

    /// The larger lengths, whose differences take a while, are tried with the first of their columns alone.
    private func isShort(_ length: Int) -> Bool { length <= 100 }

    @Test("GELU's", arguments: cases)
    func gelu(form: KernelImplementation, length: Int) {
        var generator = SeededGenerator(seed: UInt64(length))
        let x = generator.floats(length + 1, in: -8...8), g = generator.floats(length + 1)
        var made = g
        // One element in, so that vector loads are unaligned.
        made.withUnsafeMutableBufferPointer { made in
            x.withUnsafeBufferPointer {
                GELU.backward(made.baseAddress! + 1, at: $0.baseAddress! + 1, count: length, using: form)
            }
        }
        let expected = (0..<length).map { i -> Float in
            func gelu(_ x: Double) -> Double { 0.5 * x * (1 + erf(x / 2.0.squareRoot())) }
            let value = Double(x[i + 1])
            return Float(Double(g[i + 1]) * (gelu(value + 1e-5) - gelu(value - 1e-5)) / 2e-5)
        }
        #expect(largestDifference(made.dropFirst(), expected) < 2e-6)
        #expect(made[0] == g[0])
    }

    @Test("softmax's, of rows that lie apart", arguments: cases)
    func softmax(form: KernelImplementation, length: Int) {
        guard isShort(length) else { return }
        var generator = SeededGenerator(seed: UInt64(length) + 1)
        let rows = 2, stride = length + 3
        let x = generator.floats(rows * stride, in: -3...3), g = generator.floats(rows * stride)
        func softmax(_ x: [Double]) -> [Double] {
            let sum = x.reduce(0) { $0 + exp($1) }
            return x.map { exp($0) / sum }
        }
        var p = [Float](repeating: .nan, count: rows * stride)
        for row in 0..<rows {
            let range = row * stride..<row * stride + length
            p.replaceSubrange(range, with: softmax(x[range].map(Double.init)).map(Float.init))
        }
        var made = g
        Softmax.backward(&made, at: p, rows: rows, columns: length, stride: stride, using: form)
        for row in 0..<rows {
            let range = row * stride..<row * stride + length
            let expected = differences(Array(g[range]), at: Array(x[range]), softmax)
            #expect(largestDifference(made[range], expected) < 1e-6)
            #expect(made[range.upperBound..<(row + 1) * stride] == g[range.upperBound..<(row + 1) * stride])
        }
    }

    @Test("softmax's gives a masked element nothing, and a long row what plain arithmetic gives", arguments: cases)
    func maskedSoftmax(form: KernelImplementation, length: Int) {
        var generator = SeededGenerator(seed: UInt64(length) + 2)
        let g = generator.floats(length), masked = (0..<length).map { $0 % 3 == 1 }
        var p = generator.floats(length, in: 0...1)
        for i in 0..<length where masked[i] { p[i] = 0 }
        let total = max(p.reduce(0, +), 1e-6)
        p = p.map { $0 / total }
        var made = g
        Softmax.backward(&made, at: p, rows: 1, columns: length, stride: length, using: form)
        let sum = zip(p, g).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
        #expect(largestDifference(made, zip(p, g).map { Float(Double($0) * (Double($1) - sum)) }) < 1e-6)
        #expect(zip(made, masked).allSatisfy { !$1 || $0 == 0 })
    }

    @Test("layer normalisation's, also where the mean is large", arguments: cases)
    func layerNorm(form: KernelImplementation, length: Int) {
        guard length > 1, isShort(length) else { return }
        for mean in [0, 100] as [Float] { layerNorm(form, length, mean) }
    }

    private func layerNorm(_ form: KernelImplementation, _ length: Int, _ mean: Float) {
        var generator = SeededGenerator(seed: UInt64(length) + 3)
        let x = generator.floats(2 * length).map { $0 + mean }, g = generator.floats(2 * length)
        let gain = generator.floats(length, in: 0.5...2)
        for isInPlace in [false, true] {
            var made = isInPlace ? g : [Float](repeating: .nan, count: 2 * length)
            made.withUnsafeMutableBufferPointer { made in
                g.withUnsafeBufferPointer { g in
                    LayerNorm.backward(
                        isInPlace ? UnsafePointer(made.baseAddress!) : g.baseAddress!, at: x, into: made.baseAddress!,
                        rows: 2, columns: length, gain: gain, using: form)
                }
            }
            for row in 0..<2 {
                let range = row * length..<(row + 1) * length
                let expected = differences(Array(g[range]), at: Array(x[range])) { x in
                    let mean = x.reduce(0, +) / Double(length)
                    let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(length)
                    return x.indices.map { (x[$0] - mean) / (variance + 1e-5).squareRoot() * Double(gain[$0]) }
                }
                // Two values near one another have a steep normalisation, and float32 holds 100 to 4e-6.
                let scale = max(1, expected.map(abs).max() ?? 0)
                #expect(largestDifference(made[range], expected) < (mean == 0 ? 2e-5 : 2e-3) * scale)
            }
        }
    }

    static let products = KernelImplementation.available.flatMap { form in
        [(1, 1, 1), (2, 9, 30), (5, 40, 17), (37, 70, 64), (3, 4100, 24)].map { (form, $0) }
    }

    @Test("a packed product's is that with the weights as they were given", arguments: products)
    func packed(form: KernelImplementation, size: (Int, Int, Int)) {
        for isHalf in [false, true] { packed(form, size, isHalf) }
    }

    private func packed(_ form: KernelImplementation, _ size: (Int, Int, Int), _ isHalf: Bool) {
        let (rows, columns, depth) = size
        var generator = SeededGenerator(seed: UInt64(columns * 100 + depth))
        let weights = generator.floats(columns * depth).map { isHalf ? ($0 * 64).rounded() / 64 : $0 }
        let matrix = PackedMatrix(Tensor(shape: [columns, depth], weights), for: form)
        var copied = [Float](repeating: .nan, count: columns * depth)
        matrix.copyWeights(ofColumns: 0..<columns, into: &copied)
        #expect(copied == weights)
        let g = generator.floats(rows * columns), before = generator.floats(rows * depth)
        for accumulating in [false, true] {
            var made = before
            matrix.multiplyBackward(rows: rows, g, into: &made, accumulating: accumulating, using: form)
            let expected = (0..<rows * depth).map { at -> Float in
                let sum = (0..<columns).reduce(0.0) {
                    $0 + Double(g[at / depth * columns + $1]) * Double(weights[$1 * depth + at % depth])
                }
                return Float(sum) + (accumulating ? before[at] : 0)
            }
            #expect(largestDifference(made, expected) < 2e-6 * Float(columns).squareRoot() * 10)
        }
    }
}
