/// Cuts of one width, together.
struct CutStatistics {
    /// Words farther from the cut than this are far.
    static let near = 3

    let cuts: Int
    /// Shares of the cuts; NaN where there are none.
    let gone, lost, exact, alone, unchanged: Double
    /// Shares of the words before and behind, where there is one.
    let before, behind: Double
    /// The share of far words that are gone: what any cut does.
    let far: Double
    /// Words that came, for a cut.
    let added: Double

    init(_ outcomes: [Cut.Outcome]) {
        cuts = outcomes.count
        func share(_ holds: (Cut.Outcome) -> Bool) -> Double { Self.mean(outcomes.map(holds)) }
        gone = share(\.isGone)
        lost = share(\.isLost)
        exact = share(\.isExact)
        alone = share(\.isAlone)
        unchanged = share(\.isUnchanged)
        before = Self.mean(outcomes.compactMap { $0.isGone(at: -1) })
        behind = Self.mean(outcomes.compactMap { $0.isGone(at: 1) })
        far = Self.mean(outcomes.flatMap { $0.others.filter { abs($0.offset) > Self.near }.map(\.isGone) })
        added = outcomes.isEmpty ? .nan : Double(outcomes.reduce(0) { $0 + $1.added }) / Double(outcomes.count)
    }

    /// The share of words that are gone so far from a cut, 0 being the word itself.
    static func gone(_ outcomes: [Cut.Outcome], at offset: Int) -> Double {
        offset == 0 ? mean(outcomes.map(\.isGone)) : mean(outcomes.compactMap { $0.isGone(at: offset) })
    }

    private static func mean(_ values: [Bool]) -> Double {
        values.isEmpty ? .nan : Double(values.count { $0 }) / Double(values.count)
    }
}
