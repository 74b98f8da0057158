import COpenBLAS

/// Matrix products in double precision, row-major, for problems whose answer is wanted to the last digits.
public enum DoubleProduct {
    /// Columns of a panel of B: B is best as few columns, or as many whole panels. A multiple of what every form takes at a time, which is two vectors:
    /// of fewer columns the widest form would make one number at a time.
    public static var panelWidth: Int { 16 }

    /// C[m, n] = A[m, k] · B[k, n], plus what C held where `accumulating`.
    ///
    /// Leading dimensions are the distances between rows in elements. B is read as it lies, so its rows should be near each other or few.
    /// Runs on the calling thread.
    public static func multiply(
        m: Int, n: Int, k: Int, _ a: UnsafePointer<Double>, lda: Int, _ b: UnsafePointer<Double>, ldb: Int,
        into c: UnsafeMutablePointer<Double>, ldc: Int, accumulating: Bool = false,
        using implementation: KernelImplementation = .current
    ) {
        guard m > 0, n > 0 else { return }
        switch implementation {
        case .reference:
            for i in 0..<m {
                for j in 0..<n {
                    c[i * ldc + j] = (0..<k).reduce(accumulating ? c[i * ldc + j] : 0) {
                        $0 + a[i * lda + $1] * b[$1 * ldb + j]
                    }
                }
            }
        case .blas where k > 0:
            BLASLibrary.keepToCallingThread()
            cblas_dgemm(
                CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(m), blasint(n), blasint(k), 1, a, blasint(lda), b,
                blasint(ldb), accumulating ? 1 : 0, c, blasint(ldc))
        default:
            implementation.learning?.productOfDoubles(m, n, k, a, lda, b, ldb, c, ldc, accumulating)
        }
    }
}
