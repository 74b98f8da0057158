import PluginDraws

/// Word errors of a transcript, or of several together.
package struct WordErrors: Codable, Equatable, Sendable {
    /// Words lost, exchanged and added.
    package private(set) var errors = 0
    /// The same, of each recording at most as many as it has words: a decoder that repeats itself without end counts once.
    package private(set) var bounded = 0
    /// Words that were said.
    package private(set) var words = 0

    package init() {}

    package init(_ expected: [String], _ actual: [String]) {
        errors = WordAlignment(expected, actual).errors
        words = expected.count
        bounded = min(errors, words)
    }

    package static func + (a: WordErrors, b: WordErrors) -> WordErrors {
        var sum = a
        sum.errors += b.errors
        sum.bounded += b.bounded
        sum.words += b.words
        return sum
    }

    /// NaN where nothing was said.
    package var rate: Double { words > 0 ? Double(errors) / Double(words) : .nan }
    package var boundedRate: Double { words > 0 ? Double(bounded) / Double(words) : .nan }

    /// Whether the numbers can be those of transcripts.
    package var isSound: Bool {
        let all = [errors, bounded, words]
        return all.allSatisfy { (0...(1 << 40)).contains($0) } && bounded <= words && bounded <= errors
    }
}

extension Sequence where Element == WordErrors {
    /// All of them together.
    package var total: WordErrors { reduce(WordErrors(), +) }
}

/// How far the difference of two word error rates over the same recordings is by chance.
package enum RateDifference {
    /// A percentile bootstrap over recordings: 95 in 100 of a thousand draws, with replacement, lie between.
    /// - Parameters:
    ///   - changed, unchanged: of the same recordings, in the same order; ``WordErrors/boundedRate`` is compared where `bounded`.
    /// - Returns: NaN where there are fewer than two recordings with words.
    package static func interval(
        _ changed: [WordErrors], _ unchanged: [WordErrors], bounded: Bool = false, seed: UInt64
    ) -> (low: Double, high: Double) {
        let count = min(changed.count, unchanged.count)
        guard count > 1, unchanged.total.words > 0 else { return (.nan, .nan) }
        let differences = (0..<count).map {
            Double(bounded ? changed[$0].bounded - unchanged[$0].bounded : changed[$0].errors - unchanged[$0].errors)
        }
        let words = unchanged.prefix(count).map { Double($0.words) }
        var draws = SplitMix(seed: seed)
        var found: [Double] = []
        for _ in 0..<1000 {
            var (sum, said) = (0.0, 0.0)
            for _ in 0..<count {
                let place = draws.next(below: count)
                sum += differences[place]
                said += words[place]
            }
            if said > 0 { found.append(sum / said) }
        }
        guard found.count > 1 else { return (.nan, .nan) }
        found.sort()
        let last = found.count - 1
        return (found[Int(0.025 * Double(last))], found[Int((0.975 * Double(last)).rounded(.up))])
    }
}
