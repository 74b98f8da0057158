import Foundation
import Kernels

/// A [m, k], or `transposed` [k, m], times B, [k, n] or (`columns`) [n, k], on all threads.
func product(
    _ a: [Float], transposed: Bool = false, _ b: [Float], _ m: Int, _ n: Int, _ k: Int,
    _ layout: MatrixProduct.Layout
) -> [Float] {
    [Float](unsafeUninitializedCapacity: m * n) { out, count in
        count = m * n
        a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                guard let a = a.baseAddress, let b = b.baseAddress, let start = out.baseAddress, k > 0 else {
                    return out.initialize(repeating: 0)
                }
                MatrixProduct.multiplyOnAllThreads(
                    m: m, n: n, k: k, a, lda: transposed ? m : k, transposed: transposed, b,
                    ldb: layout == .rows ? n : k, layout, into: start, ldc: n)
            }
        }
    }
}

/// Σ over rows of a [rows, columns].
func columnSums(_ matrix: [Float], _ rows: Int, _ columns: Int) -> [Float] {
    var sums = [Float](repeating: 0, count: columns)
    matrix.withUnsafeBufferPointer { matrix in
        sums.withUnsafeMutableBufferPointer { sums in
            guard let matrix = matrix.baseAddress, let sums = sums.baseAddress else { return }
            for row in 0..<rows { Elementwise.add(matrix + row * columns, to: sums, count: columns) }
        }
    }
    return sums
}

/// Σ xᵢ², in double precision, in four sums side by side.
func squaredLength(_ x: UnsafePointer<Float>, _ count: Int) -> Double {
    var (s0, s1, s2, s3) = (0.0, 0.0, 0.0, 0.0)
    for i in 0..<count / 4 {
        let (a, b) = (Double(x[4 * i]), Double(x[4 * i + 1]))
        let (c, d) = (Double(x[4 * i + 2]), Double(x[4 * i + 3]))
        s0 += a * a
        s1 += b * b
        s2 += c * c
        s3 += d * d
    }
    for i in count / 4 * 4..<count { s0 += Double(x[i]) * Double(x[i]) }
    return (s0 + s1) + (s2 + s3)
}

func exponential(_ x: Float) -> Float { Float(exp(Double(x))) }
