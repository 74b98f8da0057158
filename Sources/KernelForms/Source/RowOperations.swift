// Operations over rows and elements.

/// y += x, `count` elements.
public func add(_ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, count: Int) {
    var i = 0
    while i &+ lanes <= count {
        store(load(y + i) + load(x + i), y + i)
        i &+= lanes
    }
    while i < count {
        y[i] += x[i]
        i &+= 1
    }
}

/// y = x · factor, `count` elements.
public func scale(
    _ x: UnsafePointer<Float>, by factor: Float, into y: UnsafeMutablePointer<Float>, count: Int
) {
    let factors = V(repeating: factor)
    var i = 0
    while i &+ lanes <= count {
        store(load(x + i) * factors, y + i)
        i &+= lanes
    }
    while i < count {
        y[i] = x[i] * factor
        i &+= 1
    }
}

/// x Φ(x) of `count` elements in place, the exact GELU.
public func gelu(_ x: UnsafeMutablePointer<Float>, count: Int) {
    var i = 0
    while i &+ lanes <= count {
        store(gelu(load(x + i)), x + i)
        i &+= lanes
    }
    if i < count { store(gelu(load(x + i, count: count &- i, filler: 0)), x + i, count: count &- i) }
}

/// max(x, 0) − |x| (1 − Φ(|x|)): the same as x Φ(x), and what is added to the larger part is small on both sides.
@inline(__always) private func gelu(_ x: V) -> V {
    let distance = tailDistance(x)
    return fma(-distance, normalTail(distance).tail, maximum(x, V(repeating: 0)))
}

/// (x − mean) / √(variance + ε) · gain + bias of one row of `count` elements.
///
/// The variance is taken in a second pass over the centred row: E[x²] − E[x]² loses half the digits
/// where the mean is large, as it is in Whisper's residual stream.
public func layerNorm(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int, epsilon: Float,
    gain: UnsafePointer<Float>, bias: UnsafePointer<Float>
) {
    let body = count & ~(lanes &- 1)
    var sums = V(repeating: 0)
    var i = 0
    while i < body {
        sums += load(x + i)
        i &+= lanes
    }
    var sum = horizontalSum(sums)
    while i < count {
        sum += x[i]
        i &+= 1
    }
    let mean = sum / Float(count)

    var squares = V(repeating: 0)
    i = 0
    while i < body {
        let centred = load(x + i) - mean
        squares = fma(centred, centred, squares)
        i &+= lanes
    }
    var square = horizontalSum(squares)
    while i < count {
        square += (x[i] - mean) * (x[i] - mean)
        i &+= 1
    }
    let scale = 1 / (square / Float(count) + epsilon).squareRoot()

    i = 0
    while i < body {
        store(fma((load(x + i) - mean) * scale, load(gain + i), load(bias + i)), y + i)
        i &+= lanes
    }
    while i < count {
        y[i] = (x[i] - mean) * scale * gain[i] + bias[i]
        i &+= 1
    }
}
