import COpenBLAS

/// General matrix products over float32, row-major: C = α A Bᵀ or α A B, onto C where asked.
public enum MatrixProduct {
    /// How B lies in memory. `rows`: B is [k, n]. `columns`: B is [n, k], so that Bᵀ is what multiplies,
    /// as for PyTorch's weights [out, in].
    public enum Layout: Sendable { case rows, columns }

    /// C[m, n] = α · A[m, k] · B, plus what C held where `accumulating`.
    ///
    /// Leading dimensions (`lda`, `ldb`, `ldc`) are the distances between rows in elements; rows of A may
    /// overlap, which is how a convolution becomes a product without a copy. Where A is `transposed` it is [k, m] in memory, and its
    /// rows do not overlap. Runs on the calling thread.
    public static func multiply(
        m: Int, n: Int, k: Int, alpha: Float = 1,
        _ a: UnsafePointer<Float>, lda: Int, transposed: Bool = false,
        _ b: UnsafePointer<Float>, ldb: Int, _ layout: Layout,
        into c: UnsafeMutablePointer<Float>, ldc: Int, accumulating: Bool = false,
        using implementation: KernelImplementation = .current
    ) {
        guard m > 0, n > 0 else { return }
        if transposed {
            return multiplyTransposed(m, n, k, alpha, a, lda, b, ldb, layout, c, ldc, accumulating, implementation)
        }
        assert(ldc >= n && ldb >= (layout == .rows ? n : k))
        switch implementation {
        case .reference:
            reference(m, n, k, alpha, a, lda, b, ldb, layout, c, ldc, accumulating)
        case .neon, .avx2, .avx512, .avx512vnni, .avx512amx:
            PanelProduct(implementation.table!).multiply(
                m, n, k, alpha, a, lda, b, ldb, layout, c, ldc, accumulating)
        case .blas:
            BLASLibrary.keepToCallingThread()
            // BLAS wants lda ≥ k only to check its arguments; it reads rows wherever lda says they begin.
            // Where rows overlap, the product runs over rows that do not.
            guard lda >= k else {
                return overlapping(m, n, k, alpha, a, lda, b, ldb, layout, c, ldc, accumulating)
            }
            // Of no products a vector would be left as it was, and not cleared.
            guard m > 1 || k == 0 else {
                return vector(n, k, alpha, a, b, ldb, layout, c, accumulating)
            }
            cblas_sgemm(
                CblasRowMajor, CblasNoTrans, layout == .rows ? CblasNoTrans : CblasTrans,
                blasint(m), blasint(n), blasint(k), alpha, a, blasint(lda), b, blasint(ldb),
                accumulating ? 1 : 0, c, blasint(ldc))
        }
    }

    /// One row of A: matrix × vector, which BLAS does without packing B first.
    private static func vector(
        _ n: Int, _ k: Int, _ alpha: Float, _ a: UnsafePointer<Float>,
        _ b: UnsafePointer<Float>, _ ldb: Int, _ layout: Layout, _ c: UnsafeMutablePointer<Float>, _ accumulating: Bool
    ) {
        let rows = layout == .rows ? k : n, columns = layout == .rows ? n : k
        cblas_sgemv(
            CblasRowMajor, layout == .rows ? CblasTrans : CblasNoTrans, blasint(rows), blasint(columns), alpha,
            b, blasint(ldb), a, 1, accumulating ? 1 : 0, c, 1)
    }

    /// Rows of A that overlap (lda < k): every s-th row, s = ⌈k / lda⌉, is a matrix without overlap.
    private static func overlapping(
        _ m: Int, _ n: Int, _ k: Int, _ alpha: Float, _ a: UnsafePointer<Float>, _ lda: Int,
        _ b: UnsafePointer<Float>, _ ldb: Int, _ layout: Layout,
        _ c: UnsafeMutablePointer<Float>, _ ldc: Int, _ accumulating: Bool
    ) {
        let step = (k + lda - 1) / lda
        for first in 0..<min(step, m) {
            multiply(
                m: (m - first + step - 1) / step, n: n, k: k, alpha: alpha,
                a + first * lda, lda: lda * step, b, ldb: ldb, layout,
                into: c + first * ldc, ldc: ldc * step, accumulating: accumulating, using: .blas)
        }
    }

    private static func reference(
        _ m: Int, _ n: Int, _ k: Int, _ alpha: Float, _ a: UnsafePointer<Float>, _ lda: Int,
        _ b: UnsafePointer<Float>, _ ldb: Int, _ layout: Layout,
        _ c: UnsafeMutablePointer<Float>, _ ldc: Int, _ accumulating: Bool
    ) {
        for i in 0..<m {
            for j in 0..<n {
                var sum = 0.0
                for p in 0..<k {
                    let right = layout == .rows ? b[p * ldb + j] : b[j * ldb + p]
                    sum += Double(a[i * lda + p]) * Double(right)
                }
                c[i * ldc + j] = alpha * Float(sum) + (accumulating ? c[i * ldc + j] : 0)
            }
        }
    }
}
