import Kernels

/// How the rows of an activation are cut into blocks that are computed together.
package enum RowBlock {
    package static let count = KernelImplementation.current.rowBlock
    /// Queries of a head whose scores are computed together.
    package static let scores = KernelImplementation.current.scoreBlock
    /// Where a block may begin: keys are written in whole panels.
    package static let step = KernelImplementation.current.rowStep

    /// `0 ..< count` in blocks, each beginning at a multiple of ``step``; one block where it has to be whole.
    ///
    /// Threads take one after the other, and are to end together: the last blocks are smaller, and as many for each thread. A few rows are
    /// shared out at once.
    package static func ranges(of count: Int, whole: Bool = false, threads: Int = Parallel.threads) -> [Range<Int>] {
        if whole { return [0..<count] }
        if count <= threads * (Self.count - step) { return even(0..<count, blocks: threads) }
        var ranges: [Range<Int>] = []
        var first = 0
        while count - first > threads * Self.count {
            ranges.append(first..<first + Self.count)
            first += Self.count
        }
        return ranges + even(first..<count, blocks: threads == 1 ? 1 : 2 * threads)
    }

    /// Rows in so many blocks, or fewer, each with a share of them to the nearest step.
    private static func even(_ rows: Range<Int>, blocks: Int) -> [Range<Int>] {
        let inner = (0..<blocks).map { min(($0 * rows.count / blocks + step / 2) / step * step, rows.count) }
        let bounds = (inner + [rows.count]).map { rows.lowerBound + $0 }
        return zip(bounds, bounds.dropFirst()).filter { $0 < $1 }.map { $0..<$1 }
    }
}
