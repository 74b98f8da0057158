import PluginKit

/// Sums of each feature over the frames of a group: all of them, or those of the recordings with one value in a column.
final class GroupSums {
    let features: Int
    /// Valid frames, the same for every feature.
    private(set) var frames: UInt64 = 0
    let sums: ExactSums
    let squares: ExactSums
    let largest: Store<Float>
    /// Frames above zero.
    let active: Store<UInt32>

    init(features: Int) {
        self.features = features
        sums = ExactSums(count: features)
        squares = ExactSums(count: features)
        largest = Store(repeating: -.infinity, count: features)
        active = Store(repeating: 0, count: features)
    }

    /// One feature in one window. Sums over a window are made in the order of its frames, and exact from there on.
    struct Row {
        let sum, square: ExactSums.Parts
        let largest: Float
        let active: UInt32
    }

    /// - Throws: ``PluginKit/PluginError`` (`limit`) where a count of frames has no room: then nothing was added.
    func addFrames(_ more: UInt64) throws {
        // Counts of frames above zero are as many at most, and have 32 bits.
        guard more <= UInt64(UInt32.max) - frames else {
            throw PluginError(.limit, "\(frames) frames and \(more) more are more than can be counted, \(UInt32.max)")
        }
        frames += more
    }

    func add(_ row: Row, to feature: Int) throws {
        guard sums.add(row.sum, at: feature), squares.add(row.square, at: feature) else { throw ExactSums.full }
        if row.largest > largest[feature] { largest[feature] = row.largest }
        active[feature] += row.active
    }

    func add(_ other: GroupSums) throws {
        try addFrames(other.frames)
        try sums.add(other.sums)
        try squares.add(other.squares)
        for feature in 0..<features {
            if other.largest[feature] > largest[feature] { largest[feature] = other.largest[feature] }
            active[feature] += other.active[feature]
        }
    }

    struct Moments {
        let mean, variance, largest, density: Double
    }

    /// Over the group's frames; the variance divides by their number. NaN where there is none.
    func moments(_ feature: Int) -> Moments {
        guard frames > 0 else { return Moments(mean: .nan, variance: .nan, largest: .nan, density: .nan) }
        let count = Double(frames)
        let mean = sums[feature] / count
        return Moments(
            mean: mean, variance: max(0, squares[feature] / count - mean * mean), largest: Double(largest[feature]),
            density: Double(active[feature]) / count)
    }
}
