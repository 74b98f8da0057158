extension PackedMatrix {
    /// Weights that are laid out as rows at a time: enough for a product to be worth its packing.
    private static let rowsAtOnce = 4096

    /// The vector-Jacobian product of x Wᵀ: C[rows, depth] = G[rows, columns] · W, plus what C held where `accumulating`.
    ///
    /// The same panels serve both directions: some of them are laid out as rows again, for as long as their product takes. In another
    /// ``Precision`` than `exact` it is that of the rounded weights, and the rounding of x is passed over. Runs on all threads; both
    /// matrices are contiguous.
    public func multiplyBackward(
        rows: Int, _ g: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>, accumulating: Bool = false,
        using implementation: KernelImplementation = .current
    ) {
        guard rows > 0 else { return }
        let step = max(Self.rowsAtOnce / columnStep, 1) * columnStep
        FloatMemory.withScratch(min(step, columns) * depth) { weights in
            for first in stride(from: 0, to: columns, by: step) {
                let some = min(step, columns - first)
                Parallel.blocks(of: 4 * columnStep.rounded(upTo: 16), in: some) { block in
                    copyWeights(
                        ofColumns: first + block.lowerBound..<first + block.upperBound,
                        into: weights + block.lowerBound * depth)
                }
                MatrixProduct.multiplyOnAllThreads(
                    m: rows, n: depth, k: some, g + first, lda: columns, weights, ldb: depth, .rows, into: c,
                    ldc: depth, accumulating: accumulating || first > 0, using: implementation)
            }
        }
    }
}
