/// The range of values that a colour scale spans.
///
/// From the 2nd to the 98th percentile of what is finite, so that a few outliers do not take the scale for themselves;
/// they get the colours of its ends. From the smallest to the largest where there are fewer than 100 values, and where
/// nearly all values lie in a fiftieth of that range, as in an attention pattern that is local: there the few are the
/// finding.
struct RobustRange: Equatable {
    let low: Double
    let high: Double
    /// Whether there are values beyond the ends.
    let isCut: (below: Bool, above: Bool)
    let hasMissing: Bool

    static func == (a: RobustRange, b: RobustRange) -> Bool { a.low == b.low && a.high == b.high }

    init(_ values: [Double]) {
        var finite = values.filter(\.isFinite)
        hasMissing = values.contains(where: \.isNaN)
        guard var least = finite.min(), var most = finite.max() else {
            (low, high) = (0, 1)
            isCut = (values.contains(-.infinity), values.contains(.infinity))
            return
        }
        let all = (least, most)
        if finite.count >= 100 {
            // Of very many values, evenly spaced ones do.
            let step = max(finite.count / 100_000, 1)
            if step > 1 { finite = stride(from: 0, to: finite.count, by: step).map { finite[$0] } }
            finite.sort()
            let low = finite[(finite.count - 1) * 2 / 100]
            let high = finite[(finite.count - 1) * 98 / 100]
            if high - low > (most - least) / 50 { (least, most) = (low, high) }
        }
        isCut = (all.0 < least || values.contains(-.infinity), all.1 > most || values.contains(.infinity))
        if least == most { (low, high) = (least - 0.5, most + 0.5) } else { (low, high) = (least, most) }
    }

    /// 0 at the low end, 1 at the high one; nil for what is no number.
    func share(_ value: Double) -> Double? {
        guard !value.isNaN else { return nil }
        if value <= low { return 0 }
        if value >= high { return 1 }
        // Halves, because the ends may be as far apart as numbers go.
        return (value / 2 - low / 2) / (high / 2 - low / 2)
    }
}
