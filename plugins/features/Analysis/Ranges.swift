/// The ranges of activation of one end of a feature, made of the cells of a grid: what is between edges that are rounded
/// to the cells'.
struct Ranges {
    struct Bin: Equatable {
        /// Cells of the grid.
        let cells: Range<Int>
        /// Of mirrored values, where the side is.
        let low, high: Double
        let count: UInt64
    }

    enum Kind: String, CaseIterable {
        /// Of equal width, between 0 and the largest value.
        case width
        /// Of equal count.
        case quantile
    }

    let kind: Kind
    let bins: [Bin]

    /// - Parameters:
    ///   - largest: the feature's largest value on this side.
    init(_ kind: Kind, side: SideScan, feature: Int, bins: Int, largest: Double) {
        self.kind = kind
        let exponent = Int(side.exponents[feature])
        switch kind {
        case .width:
            let counts = Self.counts(side.width, feature)
            // Cells in use, the last of which has the largest value in it.
            let used = (counts.lastIndex { $0 > 0 } ?? -1) + 1
            let edges = (0...bins).map { Self.rounded(Double($0) * Double(used) / Double(bins)) }
            self.bins = Self.bins(edges, counts, WidthGrid.self, exponent, largest)
        case .quantile:
            let counts = Self.counts(side.octave, feature)
            self.bins = Self.bins(Self.quantiles(counts, bins: bins), counts, OctaveGrid.self, exponent, largest)
        }
    }

    private static func counts(_ cells: Cells, _ feature: Int) -> [UInt64] {
        (0..<cells.cells).map { UInt64(cells.counts[feature * cells.cells + $0]) }
    }

    private static func rounded(_ value: Double) -> Int { Int(value.rounded()) }

    /// Edges j such that j / bins of all values are below: of the cells' edges, the first with that many.
    static func quantiles(_ counts: [UInt64], bins: Int) -> [Int] {
        let total = counts.reduce(0, +)
        var edges = [0]
        var (below, cell): (UInt64, Int) = (0, 0)
        for bin in 1..<max(bins, 1) {
            while cell < counts.count, below * UInt64(bins) < total * UInt64(bin) {
                below += counts[cell]
                cell += 1
            }
            edges.append(cell)
        }
        return edges + [(counts.lastIndex { $0 > 0 } ?? -1) + 1]
    }

    private static func bins<G: Grid>(
        _ edges: [Int], _ counts: [UInt64], _ grid: G.Type, _ exponent: Int, _ largest: Double
    ) -> [Bin] {
        zip(edges, edges.dropFirst()).map { low, high in
            let cells = low..<max(low, high)
            let top = G.lowerEdge(cells.upperBound, exponent: exponent)
            return Bin(
                cells: cells, low: min(G.lowerEdge(low, exponent: exponent), max(0, largest)),
                // The last range ends with the largest value, and not with its cell.
                high: min(top, max(0, largest)), count: counts[cells].reduce(0, +))
        }
    }

    /// A uniform sample of a bin: the smallest keys of its cells' samples.
    func moments(_ bin: Bin, side: SideScan, feature: Int) -> [(key: UInt64, value: Float)] {
        let cells = kind == .width ? side.width : side.octave
        return Array(bin.cells.flatMap { cells.moments(feature, $0) }.sorted { $0.key < $1.key }.prefix(cells.depth))
    }
}
