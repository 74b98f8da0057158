/// How many values of each group needed how much sound behind them: counts, so that those of two runs add up.
struct FutureNeeds: Codable, Equatable {
    let groups: Groups
    /// Steps of sound; the last one is for values that never came to rest before the context's end.
    let steps: Int
    /// A row for each group.
    private(set) var counts: [Int]

    init(_ groups: Groups, steps: Int) {
        (self.groups, self.steps) = (groups, steps)
        counts = [Int](repeating: 0, count: groups.count * (steps + 1))
    }

    /// - Parameter step: nil for a value that never came to rest.
    mutating func count(_ group: Int, _ step: Int?) {
        counts[group * (steps + 1) + min(step ?? steps, steps)] += 1
    }

    mutating func add(_ other: FutureNeeds) {
        for index in counts.indices { counts[index] += other.counts[index] }
    }

    /// Whether the numbers can be what ``count(_:_:)`` makes, for the same groups as `other`.
    func isSound(beside other: FutureNeeds?) -> Bool {
        steps > 0 && groups.count > 0 && groups.width > 0 && counts.allSatisfy { $0 >= 0 && $0 < 1 << 48 }
            && counts.count == groups.count.multipliedReportingOverflow(by: steps + 1).partialValue
            && (other.map { $0.groups == groups && $0.steps == steps } ?? true)
    }

    /// Of one group.
    func summary(_ group: Int) -> Summary { Summary(Array(counts[group * (steps + 1)..<(group + 1) * (steps + 1)])) }

    /// Of all groups together, each of whose values counts alike.
    var summary: Summary {
        var all = [Int](repeating: 0, count: steps + 1)
        for (index, count) in counts.enumerated() { all[index % (steps + 1)] += count }
        return Summary(all)
    }

    struct Summary {
        /// By steps; those that never came to rest last.
        let counts: [Int]
        let values: Int

        init(_ counts: [Int]) {
            self.counts = counts
            values = counts.reduce(0, +)
        }

        /// The share of values that are at rest after so many steps.
        func share(after step: Int) -> Double {
            values > 0 ? Double(counts.dropLast().prefix(step + 1).reduce(0, +)) / Double(values) : .nan
        }

        /// The steps after which that share is at rest; nil where it never is.
        func steps(for share: Double) -> Int? {
            var sum = 0
            for (step, count) in counts.dropLast().enumerated() {
                sum += count
                if values > 0, Double(sum) >= share * Double(values) { return step }
            }
            return nil
        }

        var unsettled: Double { values > 0 ? Double(counts.last ?? 0) / Double(values) : .nan }
    }
}
