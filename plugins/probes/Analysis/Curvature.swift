import Kernels

/// How the objective of a fit bends at a point, roughly: what L-BFGS needs to know of it.
///
/// The Hessian's part for class k is Xᵀ diag(p(1 − p)) X/n + λI, with p the class's probabilities; this is its mean over the classes. Features of a
/// residual stream vary together, so that XᵀX/n has eigenvalues from 1e-4 to a hundred, and an L-BFGS that begins with a multiple of the
/// identity needs thousands of steps for a small λ. The inverse of this matrix in the identity's place changes the way, and not the
/// answer.
struct Curvature {
    let features: Int
    /// Xᵀ diag(w) X / n, [features, features].
    private let products: [Double]
    /// The mean of the weights: the same for the bias.
    private let weight: Double

    private static let block = 64

    /// - Parameter weights: of each row, the mean over the classes of p(1 − p).
    init(_ rows: FeatureMatrix, weights: [Double]) {
        let features = rows.features
        self.features = features
        weight = weights.reduce(0, +) / Double(max(rows.count, 1))
        var products = [Double](repeating: 0, count: features * features)
        var turned = [Double](repeating: 0, count: features * Self.block)
        func add(_ values: UnsafePointer<Double>, _ products: UnsafeMutablePointer<Double>) {
            for start in stride(from: 0, to: rows.count, by: Self.block) {
                let count = min(Self.block, rows.count - start)
                let block = values + start * features
                for row in 0..<count {
                    for feature in 0..<features {
                        turned[feature * Self.block + row] = weights[start + row] * block[row * features + feature]
                    }
                }
                DoubleProduct.multiply(
                    m: features, n: features, k: count, turned, lda: Self.block, block, ldb: features, into: products,
                    ldc: features, accumulating: true)
            }
        }
        add(rows.values, &products)
        let scale = 1 / Double(max(rows.count, 1))
        self.products = products.map { $0 * scale }
    }

    /// The inverse of the matrix and λI together.
    func inverse(l2: Double) -> Inverse {
        Inverse(products, features, weight: max(weight, 1e-8), l2: max(l2, 1e-8))
    }

    struct Inverse {
        private let features: Int
        /// L of the matrix = L Lᵀ, row-major; above the diagonal nothing is read.
        private var lower: [Double]
        /// Of the bias.
        private let weight: Double

        fileprivate init(_ products: [Double], _ features: Int, weight: Double, l2: Double) {
            self.features = features
            self.weight = weight
            lower = products
            for row in 0..<features {
                lower[row * features + row] += l2
                for column in 0...row {
                    let (a, b) = (row * features, column * features)
                    let sum =
                        lower[a + column]
                        - lower.withUnsafeBufferPointer {
                            dot(.init(rebasing: $0[a..<a + column]), .init(rebasing: $0[b..<b + column]))
                        }
                    // The matrix is positive definite; rounding may leave nothing of what was hardly more.
                    lower[a + column] = column == row ? max(sum, 1e-300).squareRoot() : sum / lower[b + column]
                }
            }
        }

        /// Multiplies a point of the problem, `[classes, features]` and behind it `[classes]`, in place.
        func apply(to point: inout [Double], classes: Int) {
            for start in stride(from: 0, to: classes * features, by: features) { solve(&point, start) }
            for place in classes * features..<point.count { point[place] /= weight }
        }

        /// L Lᵀ x = b for the stretch that begins at `start`.
        private func solve(_ x: inout [Double], _ start: Int) {
            x.withUnsafeMutableBufferPointer { all in
                let x = UnsafeMutableBufferPointer(rebasing: all[start..<start + features])
                lower.withUnsafeBufferPointer { lower in
                    for row in 0..<features {
                        let line = UnsafeBufferPointer(rebasing: lower[row * features..<row * features + row])
                        let sum = dot(line, UnsafeBufferPointer(rebasing: x[..<row]))
                        x[row] = (x[row] - sum) / lower[row * features + row]
                    }
                    for row in (0..<features).reversed() {
                        x[row] /= lower[row * features + row]
                        let value = x[row]
                        for column in 0..<row { x[column] -= value * lower[row * features + column] }
                    }
                }
            }
        }
    }
}
