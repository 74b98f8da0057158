import COpenBLAS

extension MatrixProduct {
    /// ``multiply(m:n:k:alpha:_:lda:transposed:_:ldb:_:into:ldc:accumulating:using:)`` of A that is [k, m] in memory.
    static func multiplyTransposed(
        _ m: Int, _ n: Int, _ k: Int, _ alpha: Float, _ a: UnsafePointer<Float>, _ lda: Int,
        _ b: UnsafePointer<Float>, _ ldb: Int, _ layout: Layout, _ c: UnsafeMutablePointer<Float>, _ ldc: Int,
        _ accumulating: Bool, _ implementation: KernelImplementation
    ) {
        assert(lda >= m && ldc >= n && ldb >= (layout == .rows ? n : k))
        if implementation.hasPanels, let table = implementation.table, let learning = implementation.learning {
            return PanelProduct(table).multiplyTransposed(
                m, n, k, alpha, a, lda, b, ldb, layout, c, ldc, accumulating, learning)
        }
        guard implementation != .reference else {
            for i in 0..<m {
                for j in 0..<n {
                    let sum = (0..<k).reduce(0.0) { sum, p in
                        let right = layout == .rows ? b[p * ldb + j] : b[j * ldb + p]
                        return sum + Double(a[p * lda + i]) * Double(right)
                    }
                    c[i * ldc + j] = alpha * Float(sum) + (accumulating ? c[i * ldc + j] : 0)
                }
            }
            return
        }
        BLASLibrary.keepToCallingThread()
        cblas_sgemm(
            CblasRowMajor, CblasTrans, layout == .rows ? CblasNoTrans : CblasTrans, blasint(m), blasint(n), blasint(k),
            alpha, a, blasint(lda), b, blasint(ldb), accumulating ? 1 : 0, c, blasint(ldc))
    }

    /// The same on all threads (``Parallel``): blocks of C, cut by its size alone, so that no number depends on how many threads there are.
    public static func multiplyOnAllThreads(
        m: Int, n: Int, k: Int, alpha: Float = 1, _ a: UnsafePointer<Float>, lda: Int, transposed: Bool = false,
        _ b: UnsafePointer<Float>, ldb: Int, _ layout: Layout, into c: UnsafeMutablePointer<Float>, ldc: Int,
        accumulating: Bool = false, using implementation: KernelImplementation = .current
    ) {
        guard m > 0, n > 0 else { return }
        // As equal as whole tiles (24 rows are some of every instruction set) and panels allow.
        let height = ((m + 255) / 256).divided(m).rounded(upTo: 24)
        let width = ((n + 255) / 256).divided(n).rounded(upTo: 64)
        let columns = (n + width - 1) / width
        Parallel.forEach((m + height - 1) / height * columns) { block in
            let row = block / columns * height, column = block % columns * width
            multiply(
                m: min(height, m - row), n: min(width, n - column), k: k, alpha: alpha,
                a + (transposed ? row : row * lda), lda: lda, transposed: transposed,
                b + (layout == .rows ? column : column * ldb), ldb: ldb, layout, into: c + row * ldc + column,
                ldc: ldc, accumulating: accumulating, using: implementation)
        }
    }
}

extension Int {
    /// The size of each of so many parts of a whole, rounded up.
    fileprivate func divided(_ whole: Int) -> Int { (whole + self - 1) / self }
}
