/// What follows from the order of numbers alone.
package enum Ranks {
    /// Ranks from 1, ties having their mean rank.
    package static func of(_ values: [Double]) -> [Double] {
        let order = values.indices.sorted { values[$0] < values[$1] }
        var ranks = [Double](repeating: 0, count: values.count)
        var start = 0
        while start < order.count {
            var end = start
            while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
            for place in start..<end { ranks[order[place]] = Double(start + end + 1) / 2 }
            start = end
        }
        return ranks
    }

    /// The probability that a positive row scores above a negative one, ties counted half (Mann and Whitney's U); NaN where all are of one
    /// kind.
    package static func areaUnderCurve(_ scores: [Double], positive: [Bool]) -> Double {
        areaUnderCurve(ranks: of(scores), positive: positive)
    }

    /// The same of scores whose ranks are known.
    package static func areaUnderCurve(ranks: [Double], positive: [Bool]) -> Double {
        let positives = Double(positive.count { $0 }), negatives = Double(positive.count) - positives
        guard positives > 0, negatives > 0 else { return .nan }
        let sum = zip(ranks, positive).reduce(0) { $1.1 ? $0 + $1.0 : $0 }
        return (sum - positives * (positives + 1) / 2) / (positives * negatives)
    }
}
