import Foundation
import Kernels

/// What an encoder's pass keeps between two places where frames meet: for each block of frames its residual stream and its
/// queries, and the keys and values of all frames.
final class EncoderStream: @unchecked Sendable {
    // Sendable: a task touches what is kept of its own frames alone, and `HeadMemory` sees to itself.
    private let lock = NSLock()
    let frames: Int
    private let width: Int
    /// At the number of the first panel of each block of frames.
    private let kept: UnsafeMutablePointer<(x: Tensor, q: Tensor)?>
    private let places: Int
    /// Those of this block and those of the next, which are written while these are read.
    private var memories: [HeadMemory?] = [nil, nil]
    private var result: Tensor
    private let resultBase: UnsafeMutablePointer<Float>

    init(frames: Int, width: Int) {
        (self.frames, self.width) = (frames, width)
        places = frames / RowBlock.step + 1
        kept = .allocate(capacity: places)
        kept.initialize(repeating: nil, count: places)
        result = Tensor(uninitialized: [frames, width])
        // The tensor is this object's alone until the end, so its memory stays where it is.
        resultBase = result.withUnsafeMutableBufferPointer { $0.baseAddress! }
    }

    deinit {
        kept.deinitialize(count: places)
        kept.deallocate()
    }

    /// The residual stream of a block of frames and their queries, which are then forgotten here.
    func take(_ rows: Range<Int>) -> (x: Tensor, q: Tensor) {
        defer { kept[rows.lowerBound / RowBlock.step] = nil }
        return kept[rows.lowerBound / RowBlock.step]!
    }

    func keep(_ x: Tensor, _ q: Tensor, _ rows: Range<Int>) { kept[rows.lowerBound / RowBlock.step] = (x, q) }

    /// Keys and values that block `layer` attends to. Made by the first of the tasks that ask, who all wait for it.
    func memory(_ layer: Int, heads: Int, precision: Precision) -> HeadMemory {
        lock.withLock {
            if let memory = memories[layer % 2] { return memory }
            let memory = HeadMemory(positions: frames, heads: heads, width: width / heads, precision: precision)
            memories[layer % 2] = memory
            return memory
        }
    }

    /// Frames that are through.
    func finish(_ x: Tensor, _ rows: Range<Int>) {
        x.withUnsafeBufferPointer {
            (resultBase + rows.lowerBound * width).update(from: $0.baseAddress!, count: x.count)
        }
    }

    /// The encoder's output, `[frames, state]`, when all frames are through.
    var output: Tensor { result }
}
