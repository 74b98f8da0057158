// What a step of training does to every weight.

import CVectors

/// y += factor · x, `count` elements.
public func addScaled(
    _ x: UnsafePointer<Float>, by factor: Float, to y: UnsafeMutablePointer<Float>, count: Int
) {
    let factors = V(repeating: factor)
    var i = 0
    while i &+ lanes <= count {
        store(fma(load(x + i), factors, load(y + i)), y + i)
        i &+= lanes
    }
    while i < count {
        y[i] += factor * x[i]
        i &+= 1
    }
}

/// Adam's moments of the gradient g, β₁ = 0.9 and β₂ = 0.999, and the weights moved against it:
///
///     m = β₁ m + (1 − β₁) g        v = β₂ v + (1 − β₂) g²        w −= rate · m / (√(v · unbias) + 1e-8)
///
/// - Parameters:
///   - rate: the learning rate / (1 − β₁ᵗ).
///   - unbias: 1 / (1 − β₂ᵗ).
public func adam(
    _ w: UnsafeMutablePointer<Float>, _ m: UnsafeMutablePointer<Float>, _ v: UnsafeMutablePointer<Float>,
    gradient g: UnsafePointer<Float>, count: Int, rate: Float, unbias: Float
) {
    let (beta1, beta2): (Float, Float) = (0.9, 0.999)
    var i = 0
    while i &+ lanes <= count {
        let slope = load(g + i)
        let first = fma(load(m + i), V(repeating: beta1), slope * (1 - beta1))
        let second = fma(load(v + i), V(repeating: beta2), slope * slope * (1 - beta2))
        store(first, m + i)
        store(second, v + i)
        let root = vectors_root(second * unbias) + 1e-8
        store(load(w + i) - first * rate / root, w + i)
        i &+= lanes
    }
    while i < count {
        m[i] = beta1 * m[i] + (1 - beta1) * g[i]
        v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i]
        w[i] -= rate * m[i] / ((v[i] * unbias).squareRoot() + 1e-8)
        i &+= 1
    }
}
