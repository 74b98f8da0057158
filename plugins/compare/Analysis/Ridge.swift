/// Linear least squares with a penalty: W = (XᵀX / n + λ I)⁻¹ XᵀY / n, by Cholesky in double precision.
enum Ridge {
    /// - Parameters:
    ///   - x, y: of the same rows, centred.
    ///   - penalty: λ, above 0.
    /// - Returns: `[x.width, y.width]`, row-major.
    static func fit(_ x: Columns, _ y: Columns, penalty: Double) -> [Double] {
        let rows = Double(max(1, x.rows)), width = x.width
        var matrix = x.product(x).map { Double($0) / rows }
        for column in 0..<width { matrix[column * width + column] += penalty }
        factor(&matrix, width)
        var solution = x.product(y).map { Double($0) / rows }
        solve(matrix, width, &solution, y.width)
        return solution
    }

    /// The lower triangle of L with L Lᵀ = the matrix, which is positive definite.
    private static func factor(_ matrix: inout [Double], _ width: Int) {
        matrix.withUnsafeMutableBufferPointer { a in
            for column in 0..<width {
                for row in column..<width {
                    var sum = a[row * width + column]
                    for k in 0..<column { sum -= a[row * width + k] * a[column * width + k] }
                    // Rounding may leave nothing of what was hardly more.
                    a[row * width + column] =
                        row == column ? max(sum, 1e-300).squareRoot() : sum / a[column * width + column]
                }
            }
        }
    }

    /// Solves L Lᵀ S = S in place; S is [width, columns].
    private static func solve(_ factor: [Double], _ width: Int, _ solution: inout [Double], _ columns: Int) {
        factor.withUnsafeBufferPointer { l in
            solution.withUnsafeMutableBufferPointer { s in
                func take(_ row: Int, _ other: Int, _ scale: Double) {
                    for column in 0..<columns { s[row * columns + column] -= scale * s[other * columns + column] }
                }
                func divide(_ row: Int) {
                    for column in 0..<columns { s[row * columns + column] /= l[row * width + row] }
                }
                for row in 0..<width {
                    for k in 0..<row { take(row, k, l[row * width + k]) }
                    divide(row)
                }
                for row in (0..<width).reversed() {
                    for k in row + 1..<max(row + 1, width) { take(row, k, l[k * width + row]) }
                    divide(row)
                }
            }
        }
    }
}
