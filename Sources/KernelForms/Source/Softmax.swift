// The softmax of a row, in three passes over what is in the first cache by then.

/// exp(xᵢ − max) / Σ exp(xⱼ − max) of one row of `count` elements, in place. An element of −∞ becomes exactly 0, a row of
/// −∞ zeros.
public func softmax(_ x: UnsafeMutablePointer<Float>, count: Int) {
    let body = count & ~(lanes &- 1)
    let tail = load(x + body, count: count &- body, filler: -.infinity)
    let range = extremes(x, body, tail)
    guard range.largest > -.infinity else {
        var i = 0
        while i < count {
            x[i] = 0
            i &+= 1
        }
        return
    }
    // Where no exponent lies below what float32 has, as in most rows, nobody has to check: the same numbers in less time.
    let isFlat = range.smallest - range.largest >= lowestExponent
    let sum = isFlat ? exponentials(x, body, range.largest) : flooredExponentials(x, body, range.largest)
    let last = flooredExponential(tail - V(repeating: range.largest))
    let scale = V(repeating: 1 / horizontalSum(sum + last))
    var i = 0
    while i < body {
        store(load(x + i) * scale, x + i)
        i &+= lanes
    }
    if body < count { store(last * scale, x + body, count: count &- body) }
}

/// The largest element, and the smallest of the first `count`, a multiple of `lanes`.
@inline(__always) private func extremes(
    _ x: UnsafePointer<Float>, _ count: Int, _ tail: V
) -> (smallest: Float, largest: Float) {
    // Several chains: one alone would wait for itself.
    var high0 = tail
    var (high1, high2, high3) = (high0, high0, high0)
    var low0 = V(repeating: .infinity)
    var low1 = low0
    var i = 0
    while i &+ 4 &* lanes <= count {
        let a = load(x + i), b = load(x + (i &+ lanes))
        let c = load(x + (i &+ 2 &* lanes)), d = load(x + (i &+ 3 &* lanes))
        high0 = maximum(high0, a)
        high1 = maximum(high1, b)
        high2 = maximum(high2, c)
        high3 = maximum(high3, d)
        low0 = minimum(minimum(low0, a), b)
        low1 = minimum(minimum(low1, c), d)
        i &+= 4 &* lanes
    }
    while i < count {
        let a = load(x + i)
        high0 = maximum(high0, a)
        low0 = minimum(low0, a)
        i &+= lanes
    }
    let zero = V(repeating: 0)
    return (
        -horizontalMaximum(zero - minimum(low0, low1)),
        horizontalMaximum(maximum(maximum(high0, high1), maximum(high2, high3)))
    )
}

@inline(__always) private func exponentials(_ x: UnsafeMutablePointer<Float>, _ count: Int, _ largest: Float) -> V {
    let shift = V(repeating: largest)
    var sum = V(repeating: 0)
    var i = 0
    while i < count {
        let e = exponential(load(x + i) - shift)
        store(e, x + i)
        sum += e
        i &+= lanes
    }
    return sum
}

@inline(__always) private func flooredExponentials(
    _ x: UnsafeMutablePointer<Float>, _ count: Int, _ largest: Float
) -> V {
    let shift = V(repeating: largest)
    var sum = V(repeating: 0)
    var i = 0
    while i < count {
        let e = flooredExponential(load(x + i) - shift)
        store(e, x + i)
        sum += e
        i &+= lanes
    }
    return sum
}
