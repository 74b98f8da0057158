import Kernels

/// The way back through the products inside attention, from z to queries, keys and values:
///
///     ∂pattern = ∂z vᵀ      ∂v = patternᵀ ∂z      ∂scores = pattern ∘ (∂pattern − Σ pattern ∂pattern)
///     ∂q = ∂scores k / √head_dim                  ∂k = ∂scoresᵀ q / √head_dim
///
/// As on the way there (``HeadProducts``) there are two ways through the same arithmetic: a tile of some queries of one head at a time,
/// scores and pattern computed again; or all laid out, for changes, and objectives, at scores or patterns. Heads share nothing, and
/// the tiles of one are gone through in their order, so sums do not depend on the number of threads.
final class HeadProductsBackward {
    /// Queries of a tile: their rows of scores and of gradients should stay in the second cache.
    private static let tileRows = 96

    private let q: Tensor, dz: Tensor  // [queries, heads, head_dim]
    private let heads: Int, width: Int, queries: Int
    let keys: Int
    /// q kᵀ, and, with values in place of keys, ∂z vᵀ and ∂scores k.
    private let scored: HeadMemory, valued: HeadMemory
    /// Whether a query sees no key behind itself.
    private let isCausal: Bool
    private var factor: Float { 1 / Float(width).squareRoot() }
    private(set) var dq: Tensor, dk: Tensor, dv: Tensor

    /// - Parameters:
    ///   - q, dz: `[queries, heads, head_dim]`
    ///   - k, v: `[keys, heads, head_dim]`
    init(q: Tensor, k: Tensor, v: Tensor, dz: Tensor, isCausal: Bool) {
        (self.q, self.dz, self.isCausal) = (q, dz, isCausal)
        (queries, heads, width, keys) = (q.shape[0], q.shape[1], q.shape[2], k.shape[0])
        scored = HeadMemory(positions: keys, heads: heads, width: width)
        scored.write(k, v, first: 0)
        valued = HeadMemory(positions: keys, heads: heads, width: width)
        valued.write(v, k, first: 0)
        (dq, dk, dv) = (Tensor(uninitialized: q.shape), Tensor(uninitialized: k.shape), Tensor(uninitialized: k.shape))
    }

    /// Tile by tile; what is to be told of the gradients of patterns and scores is told on the way.
    func run(pattern: RowRecorder?, scores: RowRecorder?) {
        let stride = scored.scoreStride
        forEachTile { tile, target in
            FloatMemory.withScratch(2 * tile.rows * stride) { p in
                let g = p + tile.rows * stride
                self.scores(tile, p, stride)
                Softmax.rows(p, rows: tile.rows, columns: keys, stride: stride)
                self.patternGradient(tile, g, stride)
                pattern?.write(head: tile.head, row: tile.first, rows: tile.rows, g, stride: stride)
                self.addToValues(tile, p, stride, target)
                Softmax.backward(g, at: p, rows: tile.rows, columns: keys, stride: stride)
                scores?.write(head: tile.head, row: tile.first, rows: tile.rows, g, stride: stride)
                self.finish(tile, g, stride, target)
            }
        }
    }

    // MARK: - Laid out, [heads, queries, keys]

    /// The softmax of the scores that the pass went on with, or of those that queries and keys give.
    func pattern(ofScores kept: Tensor?) -> Tensor {
        var p = kept ?? Tensor(uninitialized: [heads, queries, keys])
        p.withUnsafeMutableBufferPointer { p in
            forEachTile { tile, _ in
                let at = p.baseAddress! + offset(tile)
                if kept == nil { scores(tile, at, keys) }
                Softmax.rows(at, rows: tile.rows, columns: keys, stride: keys)
            }
        }
        return p
    }

    /// ∂v, of the pattern that the pass went on with; and ∂pattern.
    func patternGradient(_ pattern: Tensor) -> Tensor {
        var g = Tensor(uninitialized: [heads, queries, keys])
        g.withUnsafeMutableBufferPointer { g in
            pattern.withUnsafeBufferPointer { p in
                forEachTile { tile, target in
                    patternGradient(tile, g.baseAddress! + offset(tile), keys)
                    addToValues(tile, p.baseAddress! + offset(tile), keys, target)
                }
            }
        }
        return g
    }

    /// ∂pattern → ∂scores.
    func softmax(_ g: inout Tensor, at pattern: Tensor) {
        g.withUnsafeMutableBufferPointer { g in
            pattern.withUnsafeBufferPointer { p in
                forEachTile { tile, _ in
                    let at = offset(tile)
                    Softmax.backward(
                        g.baseAddress! + at, at: p.baseAddress! + at, rows: tile.rows, columns: keys, stride: keys)
                }
            }
        }
    }

    /// ∂scores → ∂q and ∂k.
    func finish(_ g: Tensor) {
        g.withUnsafeBufferPointer { g in
            forEachTile { tile, target in finish(tile, g.baseAddress! + offset(tile), keys, target) }
        }
    }

    // MARK: - Tiles

    /// Some queries of one head.
    private struct Tile {
        let head: Int, first: Int, rows: Int
    }

    /// Where gradients go; each head writes columns of its own.
    private struct Target: @unchecked Sendable {
        let dq: UnsafeMutablePointer<Float>, dk: UnsafeMutablePointer<Float>, dv: UnsafeMutablePointer<Float>
    }

    /// Heads side by side, the tiles of each in their order.
    private func forEachTile(_ body: (Tile, Target) -> Void) {
        guard queries > 0, keys > 0 else { return }
        dq.withUnsafeMutableBufferPointer { dq in
            dk.withUnsafeMutableBufferPointer { dk in
                dv.withUnsafeMutableBufferPointer { dv in
                    let target = Target(dq: dq.baseAddress!, dk: dk.baseAddress!, dv: dv.baseAddress!)
                    Parallel.forEach(heads) { head in
                        for first in Swift.stride(from: 0, to: queries, by: Self.tileRows) {
                            body(Tile(head: head, first: first, rows: min(Self.tileRows, queries - first)), target)
                        }
                    }
                }
            }
        }
    }

    /// Where a tile begins in [heads, queries, keys].
    private func offset(_ tile: Tile) -> Int { (tile.head * queries + tile.first) * keys }

    /// Where its rows begin in [queries, heads, head_dim].
    private func rows(_ tile: Tile) -> Int { (tile.first * heads + tile.head) * width }

    private func scores(_ tile: Tile, _ out: UnsafeMutablePointer<Float>, _ stride: Int) {
        q.withUnsafeBufferPointer { q in
            scored.scores(
                head: tile.head, q.baseAddress! + rows(tile), ldq: heads * width, rows: tile.rows, factor: factor,
                into: out, stride: stride)
        }
        guard isCausal else { return }
        for row in 0..<tile.rows {
            let seen = min(tile.first + row + 1, keys)
            (out + row * stride + seen).update(repeating: -.infinity, count: keys - seen)
        }
    }

    private func patternGradient(_ tile: Tile, _ out: UnsafeMutablePointer<Float>, _ stride: Int) {
        dz.withUnsafeBufferPointer { dz in
            valued.scores(
                head: tile.head, dz.baseAddress! + rows(tile), ldq: heads * width, rows: tile.rows, factor: 1,
                into: out, stride: stride)
        }
    }

    private func addToValues(_ tile: Tile, _ p: UnsafePointer<Float>, _ stride: Int, _ target: Target) {
        dz.withUnsafeBufferPointer { dz in
            MatrixProduct.multiply(
                m: keys, n: width, k: tile.rows, p, lda: stride, transposed: true, dz.baseAddress! + rows(tile),
                ldb: heads * width, .rows, into: target.dv + tile.head * width, ldc: heads * width,
                accumulating: tile.first > 0)
        }
    }

    private func finish(_ tile: Tile, _ g: UnsafePointer<Float>, _ stride: Int, _ target: Target) {
        valued.weighted(
            head: tile.head, g, stride: stride, rows: tile.rows, into: target.dq + rows(tile), ldz: heads * width)
        for row in 0..<tile.rows {
            let row = target.dq + rows(tile) + row * heads * width
            Elementwise.scale(row, by: factor, into: row, count: width)
        }
        q.withUnsafeBufferPointer { q in
            MatrixProduct.multiply(
                m: keys, n: width, k: tile.rows, alpha: factor, g, lda: stride, transposed: true,
                q.baseAddress! + rows(tile), ldb: heads * width, .rows, into: target.dk + tile.head * width,
                ldc: heads * width, accumulating: tile.first > 0)
        }
    }
}
