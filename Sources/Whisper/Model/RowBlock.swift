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
    /// The last blocks are smaller, so that threads that take one after the other end together.
    package static func ranges(of count: Int, whole: Bool = false, threads: Int = Parallel.threads) -> [Range<Int>] {
        if whole { return [0..<count] }
        var ranges: [Range<Int>] = []
        var first = 0
        while first < count {
            let left = count - first
            let share = threads == 1 || left > threads * Self.count ? Self.count : left / (4 * threads)
            let size = min(max((share + step - 1) / step, 1) * step, Self.count)
            // The size of what is left is chosen once, not again for each of its blocks.
            repeat {
                ranges.append(first..<min(count, first + size))
                first += size
            } while first < count && left <= threads * Self.count
        }
        return ranges
    }
}
