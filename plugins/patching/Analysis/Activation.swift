import PluginKit

/// A copy of an activation, positions first.
struct Activation {
    let shape: [Int]
    let values: [Float]

    init(shape: [Int], values: [Float]) { (self.shape, self.values) = (shape, values) }

    init(_ view: TensorView) { self.init(shape: view.shape, values: view.floats()) }

    var positions: Int { shape.first ?? 0 }
    /// Values of a position.
    var width: Int { shape.dropFirst().reduce(1, *) }

    /// The values of a position, or of one head of it, as places in ``values``.
    func indices(_ position: Int, head: Int?) -> Range<Int> {
        let start = position * width
        guard let head, shape.count == 3 else { return start..<start + width }
        return start + head * shape[2]..<start + (head + 1) * shape[2]
    }

    /// Σ (clean − corrupted) · gradient over a place: what its exchange does to the objective, to first order (attribution patching).
    static func attribution(clean: Activation, corrupted: Activation, gradient: Activation, at place: Place) -> Double {
        let there = min(clean.positions, corrupted.positions, gradient.positions)
        var sum = 0.0
        for position in place.rows?.clamped(to: 0..<there) ?? 0..<there {
            for i in corrupted.indices(position, head: place.head) {
                sum += (Double(clean.values[i]) - Double(corrupted.values[i])) * Double(gradient.values[i])
            }
        }
        return sum
    }
}
