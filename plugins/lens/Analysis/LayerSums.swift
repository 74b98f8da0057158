import Foundation

/// Sums over positions of what one layer predicts: the curve over layers.
struct LayerSums: Codable, Equatable {
    /// Ranks up to which the token of the end is counted.
    static let ranks = [1, 5, 10, 100]

    private(set) var positions = 0
    private var within = [Int](repeating: 0, count: ranks.count)
    private var logRank = 0.0
    private var logProbability = 0.0
    private var divergence = 0.0
    private var entropy = 0.0

    init() {}

    mutating func add(_ prediction: Prediction) {
        positions += 1
        for (index, rank) in Self.ranks.enumerated() where prediction.rank <= rank { within[index] += 1 }
        logRank += log(Double(prediction.rank))
        logProbability += prediction.logProbability
        divergence += prediction.divergence
        entropy += prediction.entropy
    }

    mutating func add(_ other: LayerSums) {
        positions += other.positions
        for index in within.indices { within[index] += other.within[index] }
        logRank += other.logRank
        logProbability += other.logProbability
        divergence += other.divergence
        entropy += other.entropy
    }

    /// Whether the numbers can be what ``add(_:)`` makes.
    var isSound: Bool {
        within.count == Self.ranks.count && (0..<1 << 48).contains(positions)
            && within.allSatisfy { (0...positions).contains($0) }
            && [logRank, logProbability, divergence, entropy].allSatisfy(\.isFinite)
    }

    private func mean(_ sum: Double) -> Double { positions > 0 ? sum / Double(positions) : .nan }

    /// Shares of positions, one for each of ``ranks``.
    var shares: [Double] { within.map { mean(Double($0)) } }
    /// The geometric mean.
    var meanRank: Double { exp(mean(logRank)) }
    var meanLogProbability: Double { mean(logProbability) }
    var meanDivergence: Double { mean(divergence) }
    var meanEntropy: Double { mean(entropy) }
}
