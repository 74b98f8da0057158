import Kernels

/// The products inside attention: scores = q kᵀ / √head_dim, their softmax, and its weighted sum of values.
///
/// Two ways through the same arithmetic, equal to the bit: `attended()` keeps one tile of scores at a
/// time and never stores the whole; `scores()`, `softmax(_:)` and `weighted(_:)` lay it out for hooks.
/// Work is cut into tiles of one head and up to 128 queries; tiles share nothing.
struct HeadProducts {
    private let q: Tensor  // [sequences × queries, heads, head_dim]
    private let memories: [KeysAndValues]  // one a sequence, or one for all
    /// Position of the first query where attention is causal: query i sees keys up to `past + i`.
    private let past: Int?

    private let sequences: Int, queries: Int, heads: Int, width: Int, keys: Int
    static let tileRows = 128

    init(q: Tensor, memories: [KeysAndValues], causalFrom past: Int?) {
        self.q = q
        self.memories = memories
        self.past = past
        (heads, width) = (q.shape[1], q.shape[2])
        // Without causality the queries of all sequences may go to a shared memory as one.
        sequences = memories.count
        queries = q.shape[0] / sequences
        keys = memories[0].count
    }

    /// [rows, heads, head_dim]
    func attended() -> Tensor {
        var z = Tensor(uninitialized: q.shape)
        z.withUnsafeMutableBufferPointer { z in
            forEachTile { tile in
                withUnsafeTemporaryAllocation(of: Float.self, capacity: tile.rows * keys) { scratch in
                    let scores = scratch.baseAddress!
                    self.scores(tile, scores)
                    Softmax.rows(scores, rows: tile.rows, columns: keys, stride: keys)
                    weigh(tile, scores, z.baseAddress!)
                }
            }
        }
        return z
    }

    /// [heads, rows, keys], −∞ where a query may not look.
    func scores() -> Tensor {
        var scores = Tensor(uninitialized: [heads, sequences * queries, keys])
        scores.withUnsafeMutableBufferPointer { out in
            forEachTile { self.scores($0, out.baseAddress! + offset($0)) }
        }
        return scores
    }

    func softmax(_ scores: inout Tensor) {
        scores.withUnsafeMutableBufferPointer { scores in
            forEachTile { tile in
                Softmax.rows(scores.baseAddress! + offset(tile), rows: tile.rows, columns: keys, stride: keys)
            }
        }
    }

    /// [heads, rows, keys] → [rows, heads, head_dim]
    func weighted(_ pattern: Tensor) -> Tensor {
        var z = Tensor(uninitialized: q.shape)
        pattern.withUnsafeBufferPointer { pattern in
            z.withUnsafeMutableBufferPointer { z in
                forEachTile { weigh($0, pattern.baseAddress! + offset($0), z.baseAddress!) }
            }
        }
        return z
    }

    // MARK: - Tiles

    /// Some queries of one head of one sequence.
    private struct Tile {
        let sequence: Int, head: Int, first: Int, rows: Int
    }

    private func forEachTile(_ body: (Tile) -> Void) {
        let blocks = (queries + Self.tileRows - 1) / Self.tileRows
        guard keys > 0, blocks > 0 else { return }
        let count = sequences * heads * blocks
        let run: (Int) -> Void = { task in
            let first = task % blocks * Self.tileRows
            body(
                Tile(
                    sequence: task / blocks / heads, head: task / blocks % heads, first: first,
                    rows: min(Self.tileRows, queries - first)))
        }
        // A single token's products are too small to be worth handing to another thread.
        if queries * keys * width < 1 << 16 { (0..<count).forEach(run) } else { Parallel.forEach(count, run) }
    }

    /// Where a tile begins in [heads, rows, keys].
    private func offset(_ tile: Tile) -> Int {
        (tile.head * sequences * queries + tile.sequence * queries + tile.first) * keys
    }

    private func scores(_ tile: Tile, _ out: UnsafeMutablePointer<Float>) {
        let stride = heads * width
        q.withUnsafeBufferPointer { q in
            memories[tile.sequence].keys.withUnsafeBufferPointer { k in
                MatrixProduct.multiply(
                    m: tile.rows, n: keys, k: width, alpha: 1 / Float(width).squareRoot(),
                    q.baseAddress! + (tile.sequence * queries + tile.first) * stride + tile.head * width, lda: stride,
                    k.baseAddress! + tile.head * width, ldb: stride, .columns, into: out, ldc: keys)
            }
        }
        guard let past else { return }
        for row in 0..<tile.rows {
            let visible = past + tile.first + row + 1
            if visible < keys {
                (out + row * keys + visible).update(repeating: -.infinity, count: keys - visible)
            }
        }
    }

    private func weigh(_ tile: Tile, _ pattern: UnsafePointer<Float>, _ z: UnsafeMutablePointer<Float>) {
        let stride = heads * width
        memories[tile.sequence].values.withUnsafeBufferPointer { v in
            MatrixProduct.multiply(
                m: tile.rows, n: width, k: keys, pattern, lda: keys, v.baseAddress! + tile.head * width, ldb: stride,
                .rows, into: z + (tile.sequence * queries + tile.first) * stride + tile.head * width, ldc: stride)
        }
    }
}
