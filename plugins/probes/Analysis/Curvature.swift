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

    /// Laid out whole: it is multiplied twice a step, and products take a tenth of the time of solving with its factor.
    struct Inverse {
        private let features: Int
        /// In panels of columns, as the products read it: [panels][features][panel], zeros behind the last column.
        private let panels: [Double]
        /// Of the bias.
        private let weight: Double

        private static var width: Int { DoubleProduct.panelWidth }

        /// (L Lᵀ)⁻¹ = L⁻ᵀ L⁻¹, with L of the matrix.
        fileprivate init(_ products: [Double], _ features: Int, weight: Double, l2: Double) {
            self.features = features
            self.weight = weight
            let inverse = Self.inverse(ofLower: Self.factor(products, features, l2: l2), features)
            var turned = inverse
            for row in 0..<features {
                for column in 0..<features { turned[column * features + row] = inverse[row * features + column] }
            }
            let count = (features + Self.width - 1) / Self.width
            var panels = [Double](repeating: 0, count: count * features * Self.width)
            func fill(_ panels: UnsafeMutablePointer<Double>) {
                Parallel.forEach(count) { panel in
                    let first = panel * Self.width, columns = min(Self.width, features - first)
                    var part = [Double](repeating: 0, count: features * Self.width)
                    for row in 0..<features {
                        for column in 0..<columns {
                            part[row * Self.width + column] = inverse[row * features + first + column]
                        }
                    }
                    DoubleProduct.multiply(
                        m: features, n: Self.width, k: features, turned, lda: features, part, ldb: Self.width,
                        into: panels + first * features, ldc: Self.width)
                }
            }
            fill(&panels)
            self.panels = panels
        }

        /// L of the matrix and λI together = L Lᵀ, row-major; what lies above the diagonal is none of it.
        private static func factor(_ products: [Double], _ features: Int, l2: Double) -> [Double] {
            var lower = products
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
            return lower
        }

        /// L⁻¹, row-major, zeros above the diagonal: each row from those above it.
        private static func inverse(ofLower lower: [Double], _ features: Int) -> [Double] {
            var inverse = [Double](repeating: 0, count: features * features)
            inverse.withUnsafeMutableBufferPointer { inverse in
                for row in 0..<features {
                    let own = row * features
                    inverse[own + row] = 1
                    for other in 0..<row {
                        let share = lower[own + other]
                        for column in 0...other { inverse[own + column] -= share * inverse[other * features + column] }
                    }
                    let diagonal = lower[own + row]
                    for column in 0...row { inverse[own + column] /= diagonal }
                }
            }
            return inverse
        }

        /// Multiplies a point of the problem, `[classes, features]` and behind it `[classes]`.
        func applied(to point: [Double], classes: Int) -> [Double] {
            var result = point
            func multiply(_ result: UnsafeMutablePointer<Double>, _ panels: UnsafePointer<Double>) {
                Parallel.forEach((features + Self.width - 1) / Self.width) { panel in
                    let first = panel * Self.width, columns = min(Self.width, features - first)
                    DoubleProduct.multiply(
                        m: classes, n: columns, k: features, point, lda: features, panels + first * features,
                        ldb: Self.width, into: result + first, ldc: features)
                }
            }
            multiply(&result, panels)
            for place in classes * features..<point.count { result[place] = point[place] / weight }
            return result
        }
    }
}
