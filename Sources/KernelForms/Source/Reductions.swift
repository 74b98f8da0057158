// What a row of logits is asked for at every token.

/// The largest of `count` elements; −∞ of none. NaN where there is one may be passed over.
public func largest(_ x: UnsafePointer<Float>, count: Int) -> Float {
    var m0 = V(repeating: -.infinity)
    var (m1, m2, m3) = (m0, m0, m0)
    var i = 0
    while i &+ 4 &* lanes <= count {
        m0 = maximum(m0, load(x + i))
        m1 = maximum(m1, load(x + (i &+ lanes)))
        m2 = maximum(m2, load(x + (i &+ 2 &* lanes)))
        m3 = maximum(m3, load(x + (i &+ 3 &* lanes)))
        i &+= 4 &* lanes
    }
    var most = horizontalMaximum(maximum(maximum(m0, m1), maximum(m2, m3)))
    while i < count {
        if x[i] > most { most = x[i] }
        i &+= 1
    }
    return most
}

/// Σ exp(xᵢ − shift) of `count` elements, none of which is above `shift`. Sums of blocks are added in double, so that a vocabulary
/// is summed to about 3e-7.
public func sumOfExponentials(_ x: UnsafePointer<Float>, count: Int, shift: Float) -> Double {
    let shifts = V(repeating: shift)
    var total = 0.0
    var i = 0
    while i &+ lanes <= count {
        let end = min(i &+ 2048, count)
        var s0 = V(repeating: 0)
        while i &+ lanes <= end {
            s0 += flooredExponential(load(x + i) - shifts)
            i &+= lanes
        }
        total += Double(horizontalSum(s0))
    }
    if i < count {
        let tail = load(x + i, count: count &- i, filler: -.infinity)
        total += Double(horizontalSum(flooredExponential(tail - shifts)))
    }
    return total
}
