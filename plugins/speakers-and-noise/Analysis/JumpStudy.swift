import PluginDraws
import PluginKit
import PluginStatistics
import PluginTranscripts

/// Which features jump at a seam if the speaker changes there, and do not if only the utterance does.
struct JumpStudy {
    /// Of a feature at a seam: |mean behind − mean before|, and of all features together the cosine distance of the two.
    struct Jumps {
        /// By feature, then by splice.
        var features: [[Double]] = []
        var distances: [Double] = []
    }

    struct Feature {
        let hook: String
        let column: Int
        /// With the speakers that it was found with, and with the others.
        let found, scored: Double
        /// The share of draws in which some feature is found as well by chance.
        let p: Double
    }

    struct Whole {
        let hook: String
        let columns: Int
        /// Of the cosine distance, over all splices.
        let area: Double
        let p: Double
        let changing, same: Double
    }

    /// Splices, two for each pair: another speaker, the same.
    private(set) var isChange: [Bool] = []
    private var isFound: [Bool] = []
    private(set) var jumps: [(hook: String, jumps: Jumps)] = []
    private let seed: UInt64
    /// Draws of a permutation.
    static let draws = 200

    init(seed: UInt64) { self.seed = seed }

    /// Pairs that were taken in.
    var pairs: Int { isChange.count / 2 }

    /// Takes in one splice.
    /// - Parameters:
    ///   - seam: seconds at which the first sound ends and the second begins.
    ///   - span: seconds of each that are compared.
    mutating func add(
        _ samples: [Float], seam: (end: Double, beginning: Double), span: Double, isChange: Bool, isFound: Bool,
        hooks: [String], host: Host
    ) throws {
        self.isChange.append(isChange)
        self.isFound.append(isFound)
        try host.run(samples, hooks: hooks) { tensor in
            guard tensor.rank == 2 else {
                throw PluginError(
                    .invalidArgument,
                    "\(tensor.hook) has shape \(tensor.shape); expected a hook point of frames and columns, as encoder.blocks.0"
                )
            }
            let rate = tensor.positionsPerSecond > 0 ? tensor.positionsPerSecond : 50
            func mean(_ from: Double, _ to: Double) -> [Double] {
                let rows = max(0, Int((from * rate).rounded()))..<max(0, Int((to * rate).rounded()))
                return Self.mean(tensor, rows.clamped(to: 0..<tensor.shape[0]))
            }
            let before = mean(seam.end - span, seam.end), behind = mean(seam.beginning, seam.beginning + span)
            let place = jumps.firstIndex { $0.hook == tensor.hook } ?? jumps.endIndex
            if place == jumps.endIndex {
                jumps.append((tensor.hook, Jumps(features: .init(repeating: [], count: before.count))))
            }
            guard jumps[place].jumps.features.count == before.count else {
                throw PluginError(.unsupported, "\(tensor.hook) has \(before.count) columns, and had others before")
            }
            for column in before.indices {
                jumps[place].jumps.features[column].append(abs(behind[column] - before[column]))
            }
            jumps[place].jumps.distances.append(Self.cosineDistance(before, behind))
        }
    }

    private static func mean(_ tensor: TensorView, _ rows: Range<Int>) -> [Double] {
        let width = tensor.shape[1]
        var sums = [Double](repeating: 0, count: width)
        tensor.withUnsafeFloats { values in
            for row in rows { for column in 0..<width { sums[column] += Double(values[row * width + column]) } }
        }
        return sums.map { $0 / Double(max(rows.count, 1)) }
    }

    private static func cosineDistance(_ a: [Double], _ b: [Double]) -> Double {
        var (product, left, right) = (0.0, 0.0, 0.0)
        for (x, y) in zip(a, b) {
            product += x * y
            left += x * x
            right += y * y
        }
        let norms = (left * right).squareRoot()
        return norms > 0 ? 1 - product / norms : 0
    }

    // MARK: - What follows

    /// The features that tell best, of all hook points; none where there are fewer than two pairs to find them with.
    func features(_ count: Int) -> [Feature] {
        let finding = isFound.indices.filter { isFound[$0] }, scoring = isFound.indices.filter { !isFound[$0] }
        guard finding.count >= 4 else { return [] }
        let labels = finding.map { isChange[$0] }
        var all: [(hook: String, column: Int, jumps: [Double], ranks: [Double], area: Double)] = []
        for (hook, jumps) in jumps {
            for (column, values) in jumps.features.enumerated() {
                let ranks = Ranks.of(finding.map { values[$0] })
                all.append((hook, column, values, ranks, Ranks.areaUnderCurve(ranks: ranks, positive: labels)))
            }
        }
        var draws = SplitMix(seed: Hashing.key(seed: seed, purpose: "jumps", "features"))
        let best = (0..<Self.draws).map { _ -> Double in
            let exchanged = Self.exchanged(labels, &draws)
            return all.reduce(0) { max($0, Ranks.areaUnderCurve(ranks: $1.ranks, positive: exchanged)) }
        }
        let order = all.indices.sorted { (all[$1].area, $0) < (all[$0].area, $1) }
        return order.prefix(count).map { place in
            let feature = all[place]
            return Feature(
                hook: feature.hook, column: feature.column, found: feature.area,
                scored: Ranks.areaUnderCurve(
                    scoring.map { feature.jumps[$0] }, positive: scoring.map { isChange[$0] }),
                p: Self.share(best, atLeast: feature.area))
        }
    }

    /// All features of each hook point together.
    func wholes() -> [Whole] {
        guard pairs >= 2 else { return [] }
        return jumps.map { hook, jumps in
            let ranks = Ranks.of(jumps.distances), area = Ranks.areaUnderCurve(ranks: ranks, positive: isChange)
            var draws = SplitMix(seed: Hashing.key(seed: seed, purpose: "jumps", hook))
            let chance = (0..<Self.draws).map { _ in
                Ranks.areaUnderCurve(ranks: ranks, positive: Self.exchanged(isChange, &draws))
            }
            func mean(_ change: Bool) -> Double {
                let values = jumps.distances.indices.filter { isChange[$0] == change }.map { jumps.distances[$0] }
                return values.reduce(0, +) / Double(max(values.count, 1))
            }
            return Whole(
                hook: hook, columns: jumps.features.count, area: area, p: Self.share(chance, atLeast: area),
                changing: mean(true), same: mean(false))
        }
    }

    /// The labels of each pair, exchanged or not: what is by chance if the speaker is of no matter.
    private static func exchanged(_ labels: [Bool], _ draws: inout SplitMix) -> [Bool] {
        var exchanged = labels
        for place in stride(from: 0, to: labels.count - 1, by: 2) where draws.next(below: 2) == 1 {
            exchanged.swapAt(place, place + 1)
        }
        return exchanged
    }

    private static func share(_ chance: [Double], atLeast value: Double) -> Double {
        Double(1 + chance.count { $0 >= value }) / Double(1 + chance.count)
    }
}
