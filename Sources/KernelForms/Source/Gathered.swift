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

@inline(__always) private func index(_ rows: UnsafePointer<Int32>?, _ i: Int) -> Int {
    guard let rows else { return i }
    return Int(rows[i])
}
