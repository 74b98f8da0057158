import Foundation
import Kernels

/// A [m, k] times B, [k, n] or (`columns`) [n, k].
func product(
    _ a: [Float], _ b: [Float], _ m: Int, _ n: Int, _ k: Int, _ layout: MatrixProduct.Layout
) -> [Float] {
    [Float](unsafeUninitializedCapacity: m * n) { out, count in
        count = m * n
        a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                guard let a = a.baseAddress, let b = b.baseAddress, let start = out.baseAddress, k > 0 else {
                    return out.initialize(repeating: 0)
                }
                MatrixProduct.multiply(
                    m: m, n: n, k: k, a, lda: k, b, ldb: layout == .rows ? n : k, layout, into: start, ldc: n)
            }
        }
    }
}

func transposed(_ matrix: [Float], _ rows: Int, _ columns: Int) -> [Float] {
    [Float](unsafeUninitializedCapacity: matrix.count) { out, count in
        count = matrix.count
        matrix.withUnsafeBufferPointer { matrix in
            // In squares, so that both sides stay in the cache.
            for top in stride(from: 0, to: rows, by: 32) {
                for left in stride(from: 0, to: columns, by: 32) {
                    for row in top..<min(top + 32, rows) {
                        for column in left..<min(left + 32, columns) {
                            out[column * rows + row] = matrix[row * columns + column]
                        }
                    }
                }
            }
        }
    }
}

func columnSums(_ matrix: [Float], _ rows: Int, _ columns: Int) -> [Float] {
    var sums = [Float](repeating: 0, count: columns)
    for row in 0..<rows { for column in 0..<columns { sums[column] += matrix[row * columns + column] } }
    return sums
}

func exponential(_ x: Float) -> Float { Float(exp(Double(x))) }
