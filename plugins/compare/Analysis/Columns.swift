import Foundation
import Kernels

/// Rows of activations as columns that are compared: centred, and where it is asked for of variance 1.
struct Columns {
    let rows: Int
    let width: Int
    /// Row-major.
    private(set) var values: [Float]

    init(_ values: [Float], width: Int, standardised: Bool = false) {
        (self.values, self.width, rows) = (values, width, values.count / max(1, width))
        var mean = [Double](repeating: 0, count: width), square = mean
        for row in 0..<rows { for column in 0..<width { mean[column] += Double(values[row * width + column]) } }
        for column in 0..<width { mean[column] /= Double(max(1, rows)) }
        for row in 0..<rows {
            for column in 0..<width {
                let centred = Double(values[row * width + column]) - mean[column]
                self.values[row * width + column] = Float(centred)
                square[column] += centred * centred
            }
        }
        guard standardised else { return }
        // A column that does not change says nothing, and is 0.
        let scales = zip(square, mean).map { square, mean in
            let deviation = (square / Double(max(1, rows))).squareRoot()
            return deviation > 1e-6 * max(abs(mean), 1e-30) ? Float(1 / deviation) : 0
        }
        for row in 0..<rows { for column in 0..<width { self.values[row * width + column] *= scales[column] } }
    }

    init(alreadyCentred values: [Float], width: Int) {
        (self.values, self.width, rows) = (values, width, values.count / max(1, width))
    }

    /// The same rows in another order.
    func permuted(_ order: [Int]) -> Columns {
        var moved = self
        for (row, place) in order.enumerated() {
            for column in 0..<width { moved.values[row * width + column] = values[place * width + column] }
        }
        return moved
    }

    /// This transposed times the other: `[width, other.width]`. Both have the same rows.
    func product(_ other: Columns) -> [Float] {
        var product = [Float](repeating: 0, count: width * other.width)
        MatrixProduct.multiplyOnAllThreads(
            m: width, n: other.width, k: rows, values, lda: width, transposed: true, other.values, ldb: other.width,
            .rows, into: &product, ldc: other.width)
        return product
    }
}

/// Linear centred kernel alignment (Kornblith et al. 2019, arXiv 1905.00414): ‖YᵀX‖² / (‖XᵀX‖ ‖YᵀY‖) of centred X and Y, norms Frobenius'.
///
/// 1 where one is the other but for a rotation and a scale. With few rows for many columns it is large by chance: the null says how large.
enum KernelAlignment {
    static func squaredNorm(_ values: [Float]) -> Double { values.reduce(0.0) { $0 + Double($1) * Double($1) } }

    /// ‖XᵀX‖.
    static func size(_ x: Columns) -> Double { squaredNorm(x.product(x)).squareRoot() }

    /// - Parameter sizes: of each, by ``size(_:)``.
    /// - Returns: NaN where one does not change.
    static func linear(_ x: Columns, _ y: Columns, sizes: (Double, Double)) -> Double {
        let product = sizes.0 * sizes.1
        return product > 0 ? squaredNorm(x.product(y)) / product : .nan
    }
}
