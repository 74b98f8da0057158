import PluginKit

/// What a head does, by thresholds: the first of these that it meets.
enum HeadClass: String, CaseIterable {
    /// The mass on the sink reaches `sink-share`.
    case sink
    /// The mass at one offset, with `positional-width` to each side, reaches `positional-share`.
    case positional
    /// The mass within `local-width` reaches `local-share`.
    case local
    /// None of these.
    case global
}

/// The means over the rows of one head. What no row had is NaN.
struct HeadStatistics {
    let kind: AttentionKind
    let rows: Int
    /// Seconds, or tokens in the decoder's self-attention.
    let distance: Double
    /// Nats.
    let entropy: Double
    let normalisedEntropy, diagonality, sink, padding, local: Double
    let within, histogram, offsets: [Double]
    /// The offset k − q with the most mass, in positions, and the mass within `positional-width` of it.
    let bestOffset, offsetShare: Double
    let headClass: HeadClass

    init(_ head: HeadSums, _ kind: AttentionKind, _ layout: HeadLayout, _ settings: Settings) {
        func mean(_ index: Int, _ rows: Int) -> Double { rows > 0 ? head.sums[index] / Double(rows) : .nan }
        func means(_ range: Range<Int>) -> [Double] { range.map { mean($0, head.placed) } }
        self.kind = kind
        rows = head.rows
        distance = mean(HeadLayout.distance, head.placed) * (kind.secondsPerPosition ?? 1)
        entropy = mean(HeadLayout.entropy, head.rows)
        normalisedEntropy = mean(HeadLayout.normalisedEntropy, head.wide)
        diagonality = mean(HeadLayout.diagonality, head.rows)
        sink = mean(HeadLayout.sink, head.sinkable)
        padding = kind == .decoder ? .nan : mean(HeadLayout.padding, head.sinkable)
        local = mean(layout.local, head.placed)
        within = means(layout.withinStart..<layout.local)
        histogram = means(layout.binStart..<layout.offsetStart)
        offsets = means(layout.offsetStart..<layout.count)
        (bestOffset, offsetShare) = Self.peak(offsets, width: settings.positionalWidth)
        headClass = Self.classify(sink: sink, offset: offsetShare, local: local, settings)
    }

    /// A statistic that is NaN meets no threshold.
    private static func classify(sink: Double, offset: Double, local: Double, _ settings: Settings) -> HeadClass {
        if sink >= settings.sinkShare { return .sink }
        if offset >= settings.positionalShare { return .positional }
        return local >= settings.localShare ? .local : .global
    }

    /// The offset with the most mass, of equals the one nearest to 0; and the mass within `width` of it.
    private static func peak(_ offsets: [Double], width: Int) -> (offset: Double, share: Double) {
        guard offsets.allSatisfy(\.isFinite) else { return (.nan, .nan) }
        let middle = offsets.count / 2
        let nearestFirst = offsets.indices.sorted { (abs($0 - middle), $0) < (abs($1 - middle), $1) }
        var best = middle
        for index in nearestFirst where offsets[index] > offsets[best] { best = index }
        let near = offsets[max(0, best - width)...min(offsets.count - 1, best + width)]
        return (Double(best - middle), near.reduce(0, +))
    }
}
