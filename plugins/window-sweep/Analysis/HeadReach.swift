import PluginKit

/// How far a head of the encoder looks: sums over the rows of its patterns that overlap sound.
struct HeadReach: Codable, Equatable {
    let layer, head: Int
    private(set) var rows = 0
    /// Σ p |q − k|, in frames.
    private var distance = 0.0
    /// Σ p over |q − k| ≤ width.
    private var near = 0.0

    init(layer: Int, head: Int) { (self.layer, self.head) = (layer, head) }

    /// Takes in a pattern, `[valid, keys]`.
    mutating func add(_ pattern: UnsafeBufferPointer<Float>, valid: Int, keys: Int, width: Int) {
        for query in 0..<valid {
            var (far, close): (Double, Double) = (0, 0)
            for key in 0..<keys {
                let share = Double(pattern[query * keys + key]), gap = abs(query - key)
                far += share * Double(gap)
                if gap <= width { close += share }
            }
            guard far.isFinite, close.isFinite else { continue }
            rows += 1
            distance += far
            near += close
        }
    }

    mutating func add(_ other: HeadReach) {
        rows += other.rows
        distance += other.distance
        near += other.near
    }

    /// Whether the numbers can be what rows add up to.
    var isSound: Bool {
        (0..<1 << 20).contains(layer) && (0..<1 << 20).contains(head) && (0..<1 << 48).contains(rows)
            && [distance, near].allSatisfy { $0.isFinite && $0 >= 0 }
    }

    /// Seconds; NaN where no row was seen.
    var meanDistance: Double { rows > 0 ? distance / Double(rows) / 50 : .nan }
    /// The share of the mass that lies within the width.
    var share: Double { rows > 0 ? near / Double(rows) : .nan }
}
