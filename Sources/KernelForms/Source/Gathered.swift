// Products of one row with rows that lie anywhere: the decoder's attention to its own tokens, whose keys and values are
// shared by beams and never copied.

/// out[i] = a · x[rows[i]], for `count` rows.
///
/// - Parameters:
///   - x: rows of `width` elements, `stride` apart.
///   - rows: which of them, in which order; nil for the first `count`.
public func dots(
    _ a: UnsafePointer<Float>, _ x: UnsafePointer<Float>, stride: Int, rows: UnsafePointer<Int32>?, count: Int,
    width: Int, into out: UnsafeMutablePointer<Float>
) {
    var i = 0
    while i < count {
        let row = x + index(rows, i) &* stride
        var s0 = V(repeating: 0)
        var s1 = s0
        var k = 0
        while k &+ 2 &* lanes <= width {
            s0 = fma(load(a + k), load(row + k), s0)
            s1 = fma(load(a + (k &+ lanes)), load(row + (k &+ lanes)), s1)
            k &+= 2 &* lanes
        }
        var sum = horizontalSum(s0 + s1)
        while k < width {
            sum += a[k] * row[k]
            k &+= 1
        }
        out[i] = sum
        i &+= 1
    }
}

/// out = Σ weights[i] · x[rows[i]], over `count` rows of `width` elements.
public func weightedSum(
    _ weights: UnsafePointer<Float>, _ x: UnsafePointer<Float>, stride: Int, rows: UnsafePointer<Int32>?, count: Int,
    width: Int, into out: UnsafeMutablePointer<Float>
) {
    var k = 0
    while k &+ 4 &* lanes <= width {
        weightedSumOfFour(weights, x + k, stride, rows, count, out + k)
        k &+= 4 &* lanes
    }
    while k &+ lanes <= width {
        var s0 = V(repeating: 0)
        var s1 = s0
        var i = 0
        while i &+ 2 <= count {
            s0 = fma(V(repeating: weights[i]), load(x + (index(rows, i) &* stride &+ k)), s0)
            s1 = fma(V(repeating: weights[i &+ 1]), load(x + (index(rows, i &+ 1) &* stride &+ k)), s1)
            i &+= 2
        }
        if i < count { s0 = fma(V(repeating: weights[i]), load(x + (index(rows, i) &* stride &+ k)), s0) }
        store(s0 + s1, out + k)
        k &+= lanes
    }
    while k < width {
        var sum: Float = 0
        var i = 0
        while i < count {
            sum += weights[i] * x[index(rows, i) &* stride &+ k]
            i &+= 1
        }
        out[k] = sum
        k &+= 1
    }
}

/// Four vectors of columns side by side, so that a row is looked for a quarter as often; each sum is made in the order of one.
@inline(__always) private func weightedSumOfFour(
    _ weights: UnsafePointer<Float>, _ x: UnsafePointer<Float>, _ stride: Int, _ rows: UnsafePointer<Int32>?,
    _ count: Int, _ out: UnsafeMutablePointer<Float>
) {
    let zero = V(repeating: 0)
    var a0 = zero, a1 = zero, a2 = zero, a3 = zero
    var b0 = zero, b1 = zero, b2 = zero, b3 = zero
    var i = 0
    while i &+ 2 <= count {
        let even = V(repeating: weights[i]), odd = V(repeating: weights[i &+ 1])
        let row = x + index(rows, i) &* stride, next = x + index(rows, i &+ 1) &* stride
        a0 = fma(even, load(row), a0)
        a1 = fma(even, load(row + lanes), a1)
        a2 = fma(even, load(row + 2 &* lanes), a2)
        a3 = fma(even, load(row + 3 &* lanes), a3)
        b0 = fma(odd, load(next), b0)
        b1 = fma(odd, load(next + lanes), b1)
        b2 = fma(odd, load(next + 2 &* lanes), b2)
        b3 = fma(odd, load(next + 3 &* lanes), b3)
        i &+= 2
    }
    if i < count {
        let even = V(repeating: weights[i])
        let row = x + index(rows, i) &* stride
        a0 = fma(even, load(row), a0)
        a1 = fma(even, load(row + lanes), a1)
        a2 = fma(even, load(row + 2 &* lanes), a2)
        a3 = fma(even, load(row + 3 &* lanes), a3)
    }
    store(a0 + b0, out)
    store(a1 + b1, out + lanes)
    store(a2 + b2, out + 2 &* lanes)
    store(a3 + b3, out + 3 &* lanes)
}

@inline(__always) private func index(_ rows: UnsafePointer<Int32>?, _ i: Int) -> Int {
    guard let rows else { return i }
    return Int(rows[i])
}
