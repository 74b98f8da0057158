import Foundation
import Kernels

/// Activations that are captured a block of rows at a time, from several threads.
final class PartialCaptures: @unchecked Sendable {
    // Sendable: the table is read and written under the lock; a block of rows is copied to rows that are its alone.
    private let lock = NSLock()
    private var captures: [HookPoint: Capture] = [:]

    private struct Capture {
        var tensor: Tensor
        let base: UnsafeMutablePointer<Float>
        /// Positions that the capture keeps, and how many have come.
        let kept: Int
        var filled = 0
    }

    var isEmpty: Bool { lock.withLock { captures.isEmpty } }

    /// Keeps the positions of `x` along `axis`, which are those from `first` on, as far as they are below `kept`.
    func add(_ x: Tensor, axis: Int, at point: HookPoint, first: Int, of kept: Int) {
        var shape = x.shape
        shape[axis] = kept
        let base = base(at: point, shape: shape, kept: kept)
        let count = max(0, min(kept - first, x.shape[axis]))
        let outer = x.shape[..<axis].reduce(1, *), inner = x.shape[(axis + 1)...].reduce(1, *)
        if count > 0, inner > 0 {
            x.withUnsafeBufferPointer { x in
                for o in 0..<outer {
                    (base + (o * kept + first) * inner)
                        .update(from: x.baseAddress! + o * (x.count / outer), count: count * inner)
                }
            }
        }
        add(rows: x.shape[axis], first: first, at: point)
    }

    /// Counts positions that have been written, those from `first` on.
    func add(rows: Int, first: Int, at point: HookPoint) {
        lock.withLock {
            guard let kept = captures[point]?.kept else { return }
            captures[point]!.filled += max(0, min(kept - first, rows))
        }
    }

    /// Where a capture lies; made when its first positions come.
    func base(at point: HookPoint, shape: [Int], kept: Int) -> UnsafeMutablePointer<Float> {
        lock.withLock {
            if let capture = captures[point] { return capture.base }
            var tensor = Tensor(uninitialized: shape)
            // Nobody else has the tensor before it is taken, so its memory stays where it is.
            let base = tensor.withUnsafeMutableBufferPointer { $0.baseAddress! }
            captures[point] = Capture(tensor: tensor, base: base, kept: kept)
            return base
        }
    }

    /// The capture at `point`, which is then forgotten; nil as long as positions are missing.
    func take(_ point: HookPoint) -> Tensor? {
        lock.withLock {
            guard let capture = captures[point], capture.filled == capture.kept else { return nil }
            captures[point] = nil
            return capture.tensor
        }
    }
}

/// Takes rows of scores or patterns to where they are captured, `[heads, kept, keys]`.
struct RowRecorder: @unchecked Sendable {
    // Sendable: each row is written once, by who made it.
    fileprivate let base: UnsafeMutablePointer<Float>
    fileprivate let kept: Int
    fileprivate let keys: Int
    /// The position of the first row that this recorder is given.
    fileprivate let first: Int
    fileprivate let isLarge: Bool

    init(base: UnsafeMutablePointer<Float>, heads: Int, kept: Int, keys: Int, first: Int) {
        (self.base, self.kept, self.keys, self.first) = (base, kept, keys, first)
        isLarge = heads * kept * keys * 4 >= StreamedCopy.threshold
    }

    /// Keeps `rows` rows of one head, `stride` apart, the first of which is row `row` of this recorder's.
    func write(head: Int, row: Int, rows: Int, _ scores: UnsafePointer<Float>, stride: Int) {
        let some = max(0, min(rows, kept - first - row))
        let to = base + (head * kept + first + row) * keys
        if isLarge { return StreamedCopy.rows(scores, stride: stride, to: to, rows: some, columns: keys) }
        for i in 0..<some { (to + i * keys).update(from: scores + i * stride, count: keys) }
    }
}
