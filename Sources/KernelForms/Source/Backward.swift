// Vector-Jacobian products of the row operations: what a gradient becomes on its way back through each of them.

/// g ∘ (Φ(x) + x φ(x)) of `count` elements, in place: the exact GELU's, with φ the normal density.
public func geluBackward(_ g: UnsafeMutablePointer<Float>, at x: UnsafePointer<Float>, count: Int) {
    var i = 0
    while i &+ lanes <= count {
        store(load(g + i) * geluSlope(load(x + i)), g + i)
        i &+= lanes
    }
    guard i < count else { return }
    let left = count &- i
    let slope = geluSlope(load(x + i, count: left, filler: 0))
    store(load(g + i, count: left, filler: 0) * slope, g + i, count: left)
}

/// Φ(x) + x φ(x); of −x it is 1 less that.
@inline(__always) private func geluSlope(_ x: V) -> V {
    let distance = tailDistance(x)
    let (tail, exponential) = normalTail(distance)
    let below = fma(distance * -0.3989422804014327, exponential, tail)
    return (1 - below).replacing(with: below, where: x .< V(repeating: 0))
}

/// p ∘ (g − Σ pⱼ gⱼ) of one row of `count` elements, in place in g; p is the softmax.
public func softmaxBackward(_ g: UnsafeMutablePointer<Float>, at p: UnsafePointer<Float>, count: Int) {
    let body = count & ~(lanes &- 1)
    var sum0 = V(repeating: 0), sum1 = sum0
    var i = 0
    while i &+ 2 &* lanes <= body {
        sum0 = fma(load(p + i), load(g + i), sum0)
        sum1 = fma(load(p + (i &+ lanes)), load(g + (i &+ lanes)), sum1)
        i &+= 2 &* lanes
    }
    if i < body { sum0 = fma(load(p + i), load(g + i), sum0) }
    var sum = horizontalSum(sum0 + sum1)
    i = body
    while i < count {
        sum += p[i] * g[i]
        i &+= 1
    }
    i = 0
    while i < body {
        store(load(p + i) * (load(g + i) - sum), g + i)
        i &+= lanes
    }
    while i < count {
        g[i] = p[i] * (g[i] - sum)
        i &+= 1
    }
}

/// Layer normalisation's, of one row of `count` elements: with h = gain ∘ g and x̂ = (x − mean) / s, s = √(variance + ε),
/// it is (h − mean(h) − x̂ mean(h ∘ x̂)) / s.
///
/// - Parameter out: gets the result; may be `g`.
public func layerNormBackward(
    _ g: UnsafePointer<Float>, at x: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>, count: Int,
    epsilon: Float, gain: UnsafePointer<Float>
) {
    let body = count & ~(lanes &- 1)
    var sums = V(repeating: 0), slopes = sums
    var i = 0
    while i < body {
        sums += load(x + i)
        slopes = fma(load(g + i), load(gain + i), slopes)
        i &+= lanes
    }
    var sum = horizontalSum(sums), slope = horizontalSum(slopes)
    while i < count {
        sum += x[i]
        slope += g[i] * gain[i]
        i &+= 1
    }
    let mean = sum / Float(count), meanSlope = slope / Float(count)

    var squares = V(repeating: 0), products = squares
    i = 0
    while i < body {
        let centred = load(x + i) - mean
        squares = fma(centred, centred, squares)
        products = fma(centred, load(g + i) * load(gain + i), products)
        i &+= lanes
    }
    var square = horizontalSum(squares), product = horizontalSum(products)
    while i < count {
        let centred = x[i] - mean
        square += centred * centred
        product += centred * g[i] * gain[i]
        i &+= 1
    }
    let variance = square / Float(count) + epsilon
    let scale = 1 / variance.squareRoot(), along = product / Float(count) / variance

    i = 0
    while i < body {
        let rest = load(g + i) * load(gain + i) - meanSlope
        store((rest - (load(x + i) - mean) * along) * scale, out + i)
        i &+= lanes
    }
    while i < count {
        out[i] = (g[i] * gain[i] - meanSlope - (x[i] - mean) * along) * scale
        i &+= 1
    }
}

/// `count` numbers of half precision as float32; exact. `count` is a multiple of `lanes`.
public func widen(_ halves: UnsafePointer<UInt16>, into out: UnsafeMutablePointer<Float>, count: Int) {
    var i = 0
    while i < count {
        store(widen(halves + i), out + i)
        i &+= lanes
    }
}
