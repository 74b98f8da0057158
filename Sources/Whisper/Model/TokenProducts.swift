import Kernels

/// The products inside the decoder's attention to its own tokens: each token sees its sequence up to itself.
///
/// Sequences share keys and values of what they have in common, so rows are found by number (``SequenceMemory``) and read where
/// they lie. The two ways through are those of ``HeadProducts``, equal to the bit.
struct TokenProducts {
    private let q: Tensor  // [sequences × tokens, heads, head_dim], the tokens of one sequence after another's
    private let memory: SequenceMemory
    private let heads: Int, width: Int
    /// New tokens of each sequence, and all tokens that each has with them.
    private let tokens: Int, keys: Int

    /// - Parameter memory: has the keys and values of these tokens already.
    init(q: Tensor, memory: SequenceMemory) {
        self.q = q
        self.memory = memory
        (heads, width) = (q.shape[1], q.shape[2])
        tokens = q.shape[0] / memory.sequences
        keys = memory.length
    }

    /// [rows, heads, head_dim]
    func attended() -> Tensor {
        var z = Tensor(uninitialized: q.shape)
        z.withUnsafeMutableBufferPointer { z in
            forEachRow { row in
                FloatMemory.withScratch(keys) { scores in
                    for head in 0..<heads {
                        self.scores(row, head, scores)
                        Softmax.rows(scores, rows: 1, columns: keys, stride: keys)
                        weigh(row, head, scores, keys: visible(row), z.baseAddress!)
                    }
                }
            }
        }
        return z
    }

    /// [heads, rows, keys], −∞ where a token may not look.
    func scores() -> Tensor {
        var scores = Tensor(uninitialized: [heads, q.shape[0], keys])
        scores.withUnsafeMutableBufferPointer { out in
            forEachRow { row in
                for head in 0..<heads { self.scores(row, head, out.baseAddress! + offset(row, head)) }
            }
        }
        return scores
    }

    func softmax(_ scores: inout Tensor) {
        scores.withUnsafeMutableBufferPointer { scores in
            forEachRow { row in
                for head in 0..<heads {
                    let row = scores.baseAddress! + offset(row, head)
                    Softmax.rows(row, rows: 1, columns: keys, stride: keys)
                }
            }
        }
    }

    /// [heads, rows, keys] → [rows, heads, head_dim]
    func weighted(_ pattern: Tensor) -> Tensor {
        var z = Tensor(uninitialized: q.shape)
        pattern.withUnsafeBufferPointer { pattern in
            z.withUnsafeMutableBufferPointer { z in
                forEachRow { row in
                    for head in 0..<heads {
                        weigh(row, head, pattern.baseAddress! + offset(row, head), keys: keys, z.baseAddress!)
                    }
                }
            }
        }
        return z
    }

    // MARK: - Rows

    private func forEachRow(_ body: (Int) -> Void) {
        let rows = q.shape[0]
        // A single token's products are too small to be worth handing to another thread.
        if rows * keys * heads * width < 1 << 18 { (0..<rows).forEach(body) } else { Parallel.forEach(rows, body) }
    }

    /// How many tokens of its sequence a row sees.
    private func visible(_ row: Int) -> Int { keys - tokens + row % tokens + 1 }

    private func offset(_ row: Int, _ head: Int) -> Int { (head * q.shape[0] + row) * keys }

    /// One row of scores, −∞ behind what the token sees. The softmax goes over all of it in either way, so that sums group alike.
    private func scores(_ row: Int, _ head: Int, _ out: UnsafeMutablePointer<Float>) {
        let visible = visible(row)
        q.withUnsafeBufferPointer { q in
            memory.withKeys(ofSequence: row / tokens) { k, rows in
                GatheredRows.dots(
                    q.baseAddress! + (row * heads + head) * width, k + head * width, stride: heads * width,
                    rows: UnsafeBufferPointer(rebasing: rows[..<visible]), width: width, into: out)
            }
        }
        Elementwise.scale(out, by: 1 / Float(width).squareRoot(), into: out, count: visible)
        (out + visible).update(repeating: -.infinity, count: keys - visible)
    }

    /// The weighted sum over the first `keys` tokens; a weight of 0 adds nothing, so it may stop behind what is seen.
    private func weigh(
        _ row: Int, _ head: Int, _ pattern: UnsafePointer<Float>, keys: Int, _ z: UnsafeMutablePointer<Float>
    ) {
        memory.withValues(ofSequence: row / tokens) { v, rows in
            GatheredRows.weightedSum(
                pattern, v + head * width, stride: heads * width, rows: UnsafeBufferPointer(rebasing: rows[..<keys]),
                width: width, into: z + (row * heads + head) * width)
        }
    }
}
