import PluginKit

/// What the difference of the two classes of recordings does as a direction: it is added to the corrupted recording's stream, where that
/// pair's frames matter most, and comes from the other pairs alone.
struct Steering {
    struct Row {
        let layer: Int
        let factor: Double
        /// Means over pairs of the logit difference's change, and the share of pairs whose choice turns over: of the direction, and of a random one
        /// of the same length.
        let change, turned, randomChange, randomTurned: Double

        /// How many more pairs turn over than by chance.
        var lead: Double { turned - randomTurned }
    }

    static let factors = [0.5, 1, 2, 4]

    let rows: [Row]

    /// - Parameter write: writes a vector, and gives its path.
    init(
        _ pairs: [PatchedPair], layers: Int, seed: UInt64, write: ([Float]) throws -> String, passed: () throws -> Void
    ) throws {
        guard pairs.count > 2 else {
            rows = []
            return
        }
        rows = try (0..<layers).flatMap { layer -> [Row] in
            let windows = pairs.map { $0.bestWindow(layer: layer) }
            let own = zip(pairs, windows).map { pair, window in window.flatMap { pair.difference(layer: layer, $0) } }
            var sums = [(Double, Double, Double, Double)](repeating: (0, 0, 0, 0), count: Self.factors.count)
            var count = 0.0
            var generator = Deviates(seed: seed &+ UInt64(layer))
            for (number, pair) in pairs.enumerated() {
                let others = own.enumerated().filter { $0.offset != number }.compactMap(\.element)
                guard let window = windows[number], let width = own[number]?.count, others.count > 1,
                    others.allSatisfy({ $0.count == width })
                else { continue }
                let direction = (0..<width).map { i -> Float in others.reduce(0) { $0 + $1[i] } / Float(others.count) }
                let files = try (write(direction), write(generator.vector(like: direction)))
                for (place, factor) in Self.factors.enumerated() {
                    let target = "encoder.blocks.\(layer) @frames \(window.lowerBound):\(window.upperBound)"
                    let (steered, random) = try (
                        pair.contrast.value(interventions: ["\(target) = add \"\(files.0)\" \(factor)"]),
                        pair.contrast.value(interventions: ["\(target) = add \"\(files.1)\" \(factor)"])
                    )
                    try passed()
                    try passed()
                    sums[place].0 += steered - pair.contrast.corrupted
                    sums[place].1 += steered > 0 ? 1 : 0
                    sums[place].2 += random - pair.contrast.corrupted
                    sums[place].3 += random > 0 ? 1 : 0
                }
                count += 1
            }
            guard count > 0 else { return [] }
            return zip(Self.factors, sums).map { factor, sum in
                Row(
                    layer: layer, factor: factor, change: sum.0 / count, turned: sum.1 / count,
                    randomChange: sum.2 / count,
                    randomTurned: sum.3 / count)
            }
        }
    }
}

extension PatchedPair {
    /// The mean difference of the stream behind a block, clean less corrupted, over some frames.
    fileprivate func difference(layer: Int, _ window: Range<Int>) -> [Float]? {
        let hook = "encoder.blocks.\(layer)"
        guard let clean = contrast.cleanValues[hook], let corrupted = contrast.corruptedValues[hook],
            clean.width == corrupted.width, window.upperBound <= min(clean.positions, corrupted.positions)
        else { return nil }
        return (0..<clean.width).map { i in
            window.reduce(0) { $0 + clean.values[$1 * clean.width + i] - corrupted.values[$1 * clean.width + i] }
                / Float(window.count)
        }
    }
}

/// Directions drawn at random: sums of twelve uniform numbers, by SplitMix64.
struct Deviates {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    private mutating func uniform() -> Double {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Double((z ^ (z >> 31)) >> 11) * 0x1p-53
    }

    /// A vector of the same length in a random direction.
    mutating func vector(like vector: [Float]) -> [Float] {
        let drawn = vector.map { _ in (0..<12).reduce(-6) { sum, _ in sum + uniform() } }
        let (length, own) = (Self.norm(vector.map(Double.init)), Self.norm(drawn))
        return drawn.map { Float(own > 0 ? $0 * length / own : 0) }
    }

    private static func norm(_ values: [Double]) -> Double { values.reduce(0) { $0 + $1 * $1 }.squareRoot() }
}
