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
        let base = lock.withLock { self.base(for: x, axis: axis, at: point, kept: kept) }
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
        lock.withLock { captures[point]!.filled += count }
    }

    /// The capture at `point`, which is then forgotten; nil as long as positions are missing.
    func take(_ point: HookPoint) -> Tensor? {
        lock.withLock {
            guard let capture = captures[point], capture.filled == capture.kept else { return nil }
            captures[point] = nil
            return capture.tensor
        }
    }

    /// Where the capture lies; made when its first positions come.
    private func base(
        for x: Tensor, axis: Int, at point: HookPoint, kept: Int
    ) -> UnsafeMutablePointer<Float> {
        if let capture = captures[point] { return capture.base }
        var shape = x.shape
        shape[axis] = kept
        var tensor = Tensor(uninitialized: shape)
        // Nobody else has the tensor before it is taken, so its memory stays where it is.
        let base = tensor.withUnsafeMutableBufferPointer { $0.baseAddress! }
        captures[point] = Capture(tensor: tensor, base: base, kept: kept)
        return base
    }
}
