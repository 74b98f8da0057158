import Kernels

/// The products inside attention to keys that are all known: scores = q kᵀ / √head_dim, their softmax, and its weighted sum
/// of values.
///
/// Three ways through the same arithmetic, equal to the bit: `attended()` keeps one tile of scores at a
/// time and never stores the whole; `attended(within:first:)` leaves out what a window hides; `scores()`, `softmax(_:)` and
/// `weighted(_:)` lay it out for hooks.
/// Work is cut into tiles of one head and some queries; tiles share nothing.
struct HeadProducts {
    private let q: Tensor  // [queries, heads, head_dim]
    private let memory: HeadMemory

    private var queries: Int { q.shape[0] }
    private var heads: Int { memory.heads }
    private var width: Int { memory.width }
    var keys: Int { memory.positions }

    init(q: Tensor, memory: HeadMemory) {
        self.q = q
        self.memory = memory
    }

    /// [queries, heads, head_dim]; scores and patterns go to the recorders on the way.
    func attended(scores kept: RowRecorder? = nil, pattern: RowRecorder? = nil) -> Tensor {
        var z = Tensor(uninitialized: q.shape)
        let stride = memory.scoreStride
        z.withUnsafeMutableBufferPointer { z in
            forEachTile { tile in
                FloatMemory.withScratch(tile.rows * stride) { scores in
                    self.scores(tile, scores, stride: stride)
                    kept?.write(head: tile.head, row: tile.first, rows: tile.rows, scores, stride: stride)
                    Softmax.rows(scores, rows: tile.rows, columns: keys, stride: stride)
                    pattern?.write(head: tile.head, row: tile.first, rows: tile.rows, scores, stride: stride)
                    weigh(tile, scores, stride: stride, z.baseAddress!)
                }
            }
        }
        return z
    }

    /// [queries, heads, head_dim], where a query sees the keys near it alone: what a window of scores comes to, equal to the bit, without the
    /// products of keys that no query of a tile sees.
    /// - Parameters:
    ///   - reach: of each head, how far from its query a key may be, in frames; nil for any distance.
    ///   - first: the frame of the first query.
    func attended(within reach: [Int?], first: Int) -> Tensor {
        var z = Tensor(uninitialized: q.shape)
        z.withUnsafeMutableBufferPointer { z in
            forEachTile { tile in
                let query = first + tile.first, reach = reach[tile.head] ?? keys
                let seen = max(0, query - reach)..<min(keys, query + tile.rows + reach)
                let part = memory.part(around: seen), whole = 0..<keys
                let stride = part == whole ? memory.scoreStride : part.count
                FloatMemory.withScratch(tile.rows * stride) { scores in
                    self.scores(tile, scores, stride: stride, keys: part)
                    for row in 0..<tile.rows {
                        let near = (max(0, query + row - reach)..<min(keys, query + row + reach + 1)).clamped(to: part)
                        let line = scores + row * stride, end = near.upperBound - part.lowerBound
                        line.update(repeating: -.infinity, count: near.lowerBound - part.lowerBound)
                        (line + end).update(repeating: -.infinity, count: part.count - end)
                    }
                    Softmax.rows(scores, rows: tile.rows, columns: part.count, stride: stride)
                    weigh(tile, scores, stride: stride, z.baseAddress!, keys: part)
                }
            }
        }
        return z
    }

    /// [heads, queries, keys]
    func scores() -> Tensor {
        var scores = Tensor(uninitialized: [heads, queries, keys])
        scores.withUnsafeMutableBufferPointer { out in
            forEachTile { self.scores($0, out.baseAddress! + offset($0), stride: keys) }
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

    /// [heads, queries, keys] → [queries, heads, head_dim]
    func weighted(_ pattern: Tensor) -> Tensor {
        var z = Tensor(uninitialized: q.shape)
        pattern.withUnsafeBufferPointer { pattern in
            z.withUnsafeMutableBufferPointer { z in
                forEachTile { weigh($0, pattern.baseAddress! + offset($0), stride: keys, z.baseAddress!) }
            }
        }
        return z
    }

    // MARK: - Tiles

    /// Some queries of one head.
    private struct Tile {
        let head: Int, first: Int, rows: Int
    }

    private func forEachTile(_ body: (Tile) -> Void) {
        let size = RowBlock.scores, blocks = (queries + size - 1) / size
        guard keys > 0, blocks > 0 else { return }
        let run: (Int) -> Void = { task in
            let first = task % blocks * size
            body(Tile(head: task / blocks, first: first, rows: min(size, queries - first)))
        }
        // A few keys' products are too small to be worth handing to another thread.
        if queries * keys * width < 1 << 16 {
            (0..<heads * blocks).forEach(run)
        } else {
            Parallel.forEach(heads * blocks, run)
        }
    }

    /// Where a tile begins in [heads, queries, keys].
    private func offset(_ tile: Tile) -> Int { (tile.head * queries + tile.first) * keys }

    private func scores(_ tile: Tile, _ out: UnsafeMutablePointer<Float>, stride: Int, keys: Range<Int>? = nil) {
        q.withUnsafeBufferPointer { q in
            memory.scores(
                head: tile.head, q.baseAddress! + (tile.first * heads + tile.head) * width, ldq: heads * width,
                rows: tile.rows, factor: 1 / Float(width).squareRoot(), keys: keys, into: out, stride: stride)
        }
    }

    private func weigh(
        _ tile: Tile, _ pattern: UnsafePointer<Float>, stride: Int, _ z: UnsafeMutablePointer<Float>,
        keys: Range<Int>? = nil
    ) {
        memory.weighted(
            head: tile.head, pattern, stride: stride, rows: tile.rows, keys: keys,
            into: z + (tile.first * heads + tile.head) * width, ldz: heads * width)
    }
}
