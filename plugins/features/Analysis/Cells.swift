/// Counts of each feature's positive values on a grid of cells, and a few moments of each cell.
///
/// The moments of a cell are those with the smallest keys (see ``FrameMoment``): a uniform sample of the cell, and the sample of
/// a union is the smallest keys of the samples. When cells are put together, so are their counts and samples, exactly; so
/// what is there in the end depends on no order.
final class Cells {
    let features: Int
    let cells: Int
    /// Moments that are kept in a cell.
    let depth: Int
    /// [features, cells]
    let counts: Store<UInt32>
    /// [features, cells, depth], ascending; ``FrameMoment/none`` behind the last.
    let keys: Store<UInt64>
    let values: Store<Float>
    /// [features, cells]: the upper half of each cell's last key, so that most keys are refused without looking at `keys`, which
    /// are many times as large. ``noteKeys(_:of:)`` keeps it true.
    let cuts: Store<UInt32>

    init(features: Int, cells: Int, depth: Int) {
        self.features = features
        self.cells = cells
        self.depth = depth
        counts = Store(repeating: 0, count: features * cells)
        keys = Store(repeating: FrameMoment.none, count: features * cells * depth)
        values = Store(repeating: 0, count: features * cells * depth)
        cuts = Store(repeating: .max, count: features * cells)
    }

    /// Says that a cell's keys are others now.
    func noteKeys(_ cell: Int, of feature: Int) {
        let place = feature * cells + cell
        cuts[place] = Self.cut(keys[place * depth + depth - 1])
    }

    @inline(__always)
    static func cut(_ key: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: key >> 32) }

    /// Puts a moment among the `depth` with the smallest keys that begin at the pointers. Without branches: where it belongs
    /// is by chance, and what it pushes out goes on to the next place.
    @inline(__always)
    static func insert(
        _ key: UInt64, _ value: Float, _ keys: UnsafeMutablePointer<UInt64>, _ values: UnsafeMutablePointer<Float>,
        depth: Int
    ) {
        var (key, value) = (key, value.bitPattern)
        for place in 0..<depth {
            let (kept, keptValue) = (keys[place], values[place].bitPattern)
            let isSmaller = key < kept
            keys[place] = isSmaller ? key : kept
            values[place] = Float(bitPattern: isSmaller ? value : keptValue)
            key = isSmaller ? kept : key
            value = isSmaller ? keptValue : value
        }
    }

    /// Adds a cell of another feature or grid to one of this.
    func add(_ cell: Int, of feature: Int, from other: Cells, to target: Int) {
        let (source, place) = (feature * cells + cell, feature * cells + target)
        counts[place] += other.counts[source]
        let mine = (keys.slice(place * depth, depth), values.slice(place * depth, depth))
        guard let keys = mine.0.baseAddress, let values = mine.1.baseAddress else { return }
        for index in 0..<depth where other.keys[source * depth + index] != FrameMoment.none {
            Self.insert(
                other.keys[source * depth + index], other.values[source * depth + index], keys, values, depth: depth)
        }
        noteKeys(target, of: feature)
    }

    /// Puts cell `cell` into the lower cell `target`, and leaves it empty.
    func move(_ cell: Int, of feature: Int, to target: Int) {
        guard cell != target else { return }
        add(cell, of: feature, from: self, to: target)
        counts[feature * cells + cell] = 0
        for index in 0..<depth { keys[(feature * cells + cell) * depth + index] = FrameMoment.none }
        noteKeys(cell, of: feature)
    }

    /// The moments of one cell, smallest key first.
    func moments(_ feature: Int, _ cell: Int) -> [(key: UInt64, value: Float)] {
        let start = (feature * cells + cell) * depth
        return (0..<depth).filter { keys[start + $0] != FrameMoment.none }.map {
            (keys[start + $0], values[start + $0])
        }
    }
}
