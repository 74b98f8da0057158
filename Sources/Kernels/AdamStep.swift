/// One step of Adam (Kingma and Ba 2015, β₁ = 0.9, β₂ = 0.999), float32, with its bias corrections, over any number of weights.
public struct AdamStep: Sendable {
    /// The learning rate through 1 − β₁ᵗ, and 1 / (1 − β₂ᵗ).
    private let rate: Float, unbias: Float

    /// - Parameter step: how many steps there were, this one among them; from 1 on.
    public init(rate: Float, step: Int) {
        self.rate = rate / (1 - Self.power(0.9, step))
        unbias = 1 / (1 - Self.power(0.999, step))
    }

    /// Moves `count` weights against their gradients.
    /// - Parameters:
    ///   - first, second: the moments, which change as well.
    public func update(
        _ weights: UnsafeMutablePointer<Float>, first: UnsafeMutablePointer<Float>,
        second: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>, count: Int,
        using implementation: KernelImplementation = .current
    ) {
        if let table = implementation.learning {
            return table.adam(weights, first, second, gradient, count, rate, unbias)
        }
        for i in 0..<count {
            first[i] = 0.9 * first[i] + 0.1 * gradient[i]
            second[i] = 0.999 * second[i] + 0.001 * gradient[i] * gradient[i]
            weights[i] -= rate * first[i] / ((second[i] * unbias).squareRoot() + 1e-8)
        }
    }

    /// The same for a direction that keeps the length 1: the part of the gradient along it, which would only change its length, is
    /// taken out, and what the step makes longer is made 1 again. The gradient changes.
    public func updateDirection(
        _ direction: UnsafeMutablePointer<Float>, first: UnsafeMutablePointer<Float>,
        second: UnsafeMutablePointer<Float>, gradient: UnsafeMutablePointer<Float>, count: Int,
        using implementation: KernelImplementation = .current
    ) {
        let along = Elementwise.dot(gradient, direction, count: count, using: implementation)
        Elementwise.addScaled(direction, by: -along, to: gradient, count: count, using: implementation)
        update(
            direction, first: first, second: second, gradient: gradient, count: count, using: implementation)
        let squares = Elementwise.dot(direction, direction, count: count, using: implementation)
        guard squares > 0 else { return }
        Elementwise.scale(
            direction, by: 1 / squares.squareRoot(), into: direction, count: count, using: implementation)
    }

    private static func power(_ base: Float, _ exponent: Int) -> Float {
        var (result, square, left) = (1.0, Double(base), exponent)
        while left > 0 {
            if left & 1 == 1 { result *= square }
            square *= square
            left >>= 1
        }
        return Float(result)
    }
}
