import Foundation
import PluginStatistics

/// Counts of one token after another in a text, and how far the model is from them.
struct Corpus: Sendable {
    /// First token → second token → times.
    private(set) var counts: [Int32: [Int32: Int]] = [:]
    private(set) var bigrams = 0

    /// Counts the bigrams within one line.
    mutating func add(_ line: [Int32]) {
        for (first, second) in zip(line, line.dropFirst()) {
            counts[first, default: [:]][second, default: 0] += 1
            bigrams += 1
        }
    }

    struct Agreement: Sendable, Equatable {
        let token: Int32
        /// Times that the token has a follower in the corpus.
        let occurrences: Int
        /// Spearman's rank correlation of counts and log-probabilities over the tokens that follow in the corpus; NaN
        /// where fewer than three do or all counts are equal.
        let spearman: Double
        /// KL(corpus ‖ model) in nats: Σ p log(p / q) over what follows in the corpus.
        let divergence: Double
    }

    /// - Returns: nil where the corpus does not have the token followed by anything.
    func agreement(_ token: Int32, _ model: Distribution) -> Agreement? {
        guard let row = counts[token] else { return nil }
        let seen = row.filter { model.logits.indices.contains(model.logits.startIndex + Int($0.key)) }
            .sorted { $0.key < $1.key }
        let total = seen.reduce(0) { $0 + $1.value }
        guard total > 0 else { return nil }
        let divergence = seen.reduce(0.0) { sum, entry in
            let share = Double(entry.value) / Double(total)
            return sum + share * (log(share) - model.logProbability(Int(entry.key)))
        }
        let spearman = Self.spearman(
            seen.map { Double($0.value) }, seen.map { model.logProbability(Int($0.key)) })
        return Agreement(token: token, occurrences: total, spearman: spearman, divergence: divergence)
    }

    /// Pearson's correlation of the ranks, ties having their mean rank.
    static func spearman(_ left: [Double], _ right: [Double]) -> Double {
        guard left.count >= 3, left.count == right.count else { return .nan }
        let (first, second) = (Ranks.of(left), Ranks.of(right))
        let mean = Double(left.count + 1) / 2
        var (product, squares, others) = (0.0, 0.0, 0.0)
        for (a, b) in zip(first, second) {
            product += (a - mean) * (b - mean)
            squares += (a - mean) * (a - mean)
            others += (b - mean) * (b - mean)
        }
        return squares > 0 && others > 0 ? product / (squares * others).squareRoot() : .nan
    }
}
