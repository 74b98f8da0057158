/// A map of what frames rest on, as it is drawn: frames averaged until it is small enough, the few largest values cut off so that the
/// others have colours, and a blank line (NaN) at the end of the audio.
struct RolloutMap {
    /// Rows, and columns.
    let count: Int
    /// Seconds of a row.
    let step: Double
    /// Row-major, destination by source.
    let values: [Double]

    /// - Parameters:
    ///   - valid: frames that overlap audio.
    ///   - size: rows at most.
    ///   - clip: the percentile that larger values are drawn as.
    init(_ relevance: Relevance, valid: Int, size: Int, clip: Double) {
        // What follows the audio is drawn as far as half a second, where the sink of its end lies.
        let shown = min(relevance.count, valid + 25), block = (shown + size - 1) / size
        let count = (shown + block - 1) / block
        var sums = [Double](repeating: 0, count: count * count)
        for destination in 0..<shown {
            let row = relevance.sources(of: destination)
            for source in 0..<shown { sums[destination / block * count + source / block] += Double(row[source]) }
        }
        // The last block may be of fewer frames.
        func width(_ index: Int) -> Double { Double(min(block, shown - index * block)) }
        for row in 0..<count { for column in 0..<count { sums[row * count + column] /= width(row) * width(column) } }
        let ceiling = Self.percentile(clip, of: sums)
        var values = sums.map { min($0, ceiling) }
        let end = (valid + block - 1) / block
        if end < count {
            for i in 0..<count {
                values[end * count + i] = .nan
                values[i * count + end] = .nan
            }
        }
        (self.count, self.step, self.values) = (count, Double(block) / 50, values)
    }

    private static func percentile(_ percent: Double, of values: [Double]) -> Double {
        let sorted = values.sorted()
        guard let last = sorted.last else { return 0 }
        let place = Int((percent / 100 * Double(sorted.count)).rounded(.up)) - 1
        // Where nearly all is nothing, the few values that are not are what there is to see.
        let found = sorted[min(max(place, 0), sorted.count - 1)]
        return found > 0 ? found : last
    }
}
