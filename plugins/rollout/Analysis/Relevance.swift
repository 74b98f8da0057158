import Kernels

/// Gradient-weighted attention rollout (Chefer, Gur and Wolf 2021, *Generic Attention-model Explainability*): what positions are to one another
/// through several blocks,
///
///     R ← I;    R ← R + Ā R for each block,    Ā the mean over heads of max(0, ∇A ∘ A)
///
/// where A is a head's pattern and ∇A an objective's gradient with respect to it.
struct Relevance {
    /// Positions.
    let count: Int
    /// R, row-major: destination by source.
    private(set) var values: [Float]

    /// I.
    init(count: Int) {
        self.count = count
        values = [Float](repeating: 0, count: count * count)
        for i in 0..<count { values[i * count + i] = 1 }
    }

    /// Takes in the next block.
    /// - Parameters:
    ///   - pattern, gradient: `[heads, count, count]` each.
    mutating func add(
        pattern: UnsafeBufferPointer<Float>, gradient: UnsafeBufferPointer<Float>, heads: Int
    ) {
        let count = count, size = count * count
        precondition(
            pattern.count == heads * size && gradient.count == heads * size, "\(heads) heads of \(count) positions")
        guard heads > 0, count > 0 else { return }
        let before = values
        values.withUnsafeMutableBufferPointer { after in
            before.withUnsafeBufferPointer { before in
                FloatMemory.withScratch(size) { mean in
                    let rows = Rows(base: mean)
                    Parallel.blocks(of: 32, in: count) { block in
                        for at in block.lowerBound * count..<block.upperBound * count {
                            var sum: Float = 0
                            for head in 0..<heads {
                                let product = pattern[head * size + at] * gradient[head * size + at]
                                if product > 0 { sum += product }
                            }
                            rows.base[at] = sum / Float(heads)
                        }
                    }
                    MatrixProduct.multiplyOnAllThreads(
                        m: count, n: count, k: count, mean, lda: count, before.baseAddress!, ldb: count, .rows,
                        into: after.baseAddress!, ldc: count, accumulating: true)
                }
            }
        }
    }

    /// Sendable: each task writes rows of its own.
    private struct Rows: @unchecked Sendable { let base: UnsafeMutablePointer<Float> }

    /// What position `destination` rests on, itself not counted for being itself: a row of R − I.
    func sources(of destination: Int) -> [Float] {
        var row = Array(values[destination * count..<(destination + 1) * count])
        row[destination] -= 1
        return row
    }
}
