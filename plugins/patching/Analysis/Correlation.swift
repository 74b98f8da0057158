/// How well two lists of numbers agree.
struct Correlation {
    /// Pearson's, and of the ranks (Spearman's); NaN where one of the lists does not vary, or of fewer than three.
    let pearson, spearman: Double
    /// The share of pairs with one sign, of those that are not both next to nothing.
    let sameSign: Double

    init(_ a: [Double], _ b: [Double]) {
        pearson = Self.pearson(a, b)
        spearman = Self.pearson(Self.ranks(a), Self.ranks(b))
        let least = (a.map(abs).max() ?? 0) / 100
        let told = zip(a, b).filter { abs($0) > least || abs($1) > least }
        sameSign = told.isEmpty ? .nan : Double(told.count { ($0 < 0) == ($1 < 0) }) / Double(told.count)
    }

    private static func pearson(_ a: [Double], _ b: [Double]) -> Double {
        guard a.count == b.count, a.count > 2 else { return .nan }
        let n = Double(a.count), (meanA, meanB) = (a.reduce(0, +) / n, b.reduce(0, +) / n)
        var (ab, aa, bb) = (0.0, 0.0, 0.0)
        for (x, y) in zip(a, b) {
            ab += (x - meanA) * (y - meanB)
            aa += (x - meanA) * (x - meanA)
            bb += (y - meanB) * (y - meanB)
        }
        return aa > 0 && bb > 0 ? ab / (aa * bb).squareRoot() : .nan
    }

    /// From 0; of equal values the mean of theirs.
    private static func ranks(_ values: [Double]) -> [Double] {
        let order = values.indices.sorted { values[$0] < values[$1] }
        var ranks = [Double](repeating: 0, count: values.count), first = 0
        while first < order.count {
            var end = first + 1
            while end < order.count, values[order[end]] == values[order[first]] { end += 1 }
            for place in first..<end { ranks[order[place]] = Double(first + end - 1) / 2 }
            first = end
        }
        return ranks
    }
}
