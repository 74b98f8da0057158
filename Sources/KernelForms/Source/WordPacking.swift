// From float32 to numbers of 8 bits with a scale, and to bfloat16; and the layouts of both that products read.
//
// A row of A becomes words: 32 bits of neighbouring elements, `wordDepth` of them quantised or two of bfloat16. A panel of B is
// `panelWidth` columns of such words, row by row; quantised numbers take a byte each there, whatever they take in a word of A.
// Every step is one operation of IEEE 754 in a fixed order, so all forms give the same numbers to the bit.

/// Below this magnitude a row counts as zeros: its scale could not be inverted.
let leastMagnitude: Float = 1e-30
/// Adding 1.5 × 2^23 leaves the nearest whole number, ties to even, in the lowest bits.
let roundingShift: Float = 12_582_912

/// Writes round(x · 127 / max|x|) of one row of `count` elements as words, and gives max|x| / 127, by which they are to be
/// multiplied. NaN where an element is NaN or infinite.
///
/// - Parameter words: room for `count` elements rounded up to `panelWidth`; those behind the row become zeros.
public func quantise(_ x: UnsafePointer<Float>, count: Int, into words: UnsafeMutablePointer<Int32>) -> Float {
    let body = count & ~(lanes &- 1)
    let (largest, strange) = extent(x, count)
    let factors = V(repeating: largest < leastMagnitude ? 0 : 127 / largest), shift = V(repeating: roundingShift)
    let to = UnsafeMutableRawPointer(words), elementBytes = 4 / wordDepth
    var i = 0
    while i < body {
        storeQuantised(unsafeBitCast(load(x + i) * factors + shift, to: VBits.self), to + i &* elementBytes)
        i &+= lanes
    }
    if body < count {
        let tail = load(x + body, count: count &- body, filler: 0)
        storeQuantised(unsafeBitCast(tail * factors + shift, to: VBits.self), to + body &* elementBytes)
    }
    return (largest < leastMagnitude ? 0 : largest / 127) + strange
}

/// max|x| of `count` elements; and 0, or NaN where an element is NaN or infinite.
@inline(__always) private func extent(_ x: UnsafePointer<Float>, _ count: Int) -> (largest: Float, strange: Float) {
    let body = count & ~(lanes &- 1)
    let tail = load(x + body, count: count &- body, filler: 0)
    var high = magnitude(tail)
    var strange = tail * 0
    var i = 0
    while i < body {
        let values = load(x + i)
        high = maximum(high, magnitude(values))
        strange += values * 0
        i &+= lanes
    }
    return (horizontalMaximum(high), horizontalSum(strange))
}

@inline(__always) private func magnitude(_ x: V) -> V {
    unsafeBitCast(unsafeBitCast(x, to: VBits.self) & VBits(repeating: 0x7fff_ffff), to: V.self)
}

/// Lays columns out in panels of bytes, [panel][⌈depth / wordDepth⌉][panelWidth][wordDepth], each quantised as
/// ``quantise(_:count:into:)`` does a row. Nothing is written behind the last column.
///
/// - Parameters:
///   - b: [columns, depth], as PyTorch's weights, rows `ldb` apart.
///   - first: the column of the panels that the first of these is.
///   - out: the panels.
///   - scales: by which each column of the panels is to be multiplied.
///   - starts: what the sums of each begin with, so that `byteOffset` cancels out.
public func packBytes(
    _ b: UnsafePointer<Float>, ldb: Int, depth: Int, columns: Int, first: Int, into out: UnsafeMutablePointer<Int8>,
    scales: UnsafeMutablePointer<Float>, starts: UnsafeMutablePointer<Int32>
) {
    let words = (depth &+ wordDepth &- 1) / wordDepth
    var column = 0
    while column < columns {
        let place = first &+ column
        let panel = out + place / panelWidth &* words &* panelWidth &* wordDepth
        let sum = packColumn(
            b + column &* ldb, depth, words, panel + place % panelWidth &* wordDepth, scales + place)
        starts[place] = 0 &- byteOffset &* sum
        column &+= 1
    }
}

/// One column of a panel; gives the sum of its numbers.
@inline(__always) private func packColumn(
    _ x: UnsafePointer<Float>, _ depth: Int, _ words: Int, _ out: UnsafeMutablePointer<Int8>,
    _ scale: UnsafeMutablePointer<Float>
) -> Int32 {
    let (largest, strange) = extent(x, depth)
    let factor = largest < leastMagnitude ? 0 : 127 / largest
    scale.pointee = (largest < leastMagnitude ? 0 : largest / 127) + strange
    var sum: Int32 = 0
    var word = 0
    while word < words {
        var part = 0
        while part < wordDepth {
            let k = word &* wordDepth &+ part
            let q = k < depth ? Int8(truncatingIfNeeded: (x[k] * factor + roundingShift).bitPattern) : 0
            out[word &* panelWidth &* wordDepth &+ part] = q
            sum &+= Int32(q)
            part &+= 1
        }
        word &+= 1
    }
    return sum
}

/// Elements of a word of quantised numbers, as this form lays them out.
public var quantisedWordDepth: Int { wordDepth }

// MARK: - bfloat16

/// Writes the nearest numbers of bfloat16, ties to even, of one row of `count` elements as words of two.
///
/// - Parameter words: room for `count` elements rounded up to `panelWidth`.
public func roundToBF16(_ x: UnsafePointer<Float>, count: Int, into words: UnsafeMutablePointer<Int32>) {
    let to = UnsafeMutableRawPointer(words)
    var i = 0
    while i &+ lanes <= count {
        storeLow(nearestBF16(load(x + i)), to + 2 &* i)
        i &+= lanes
    }
    if i < count { storeLow(nearestBF16(load(x + i, count: count &- i, filler: 0)), to + 2 &* i) }
}

/// The upper 16 bits of the nearest number of bfloat16, in the lower 16 of each lane. A NaN stays one.
@inline(__always) private func nearestBF16(_ x: V) -> VBits {
    let bits = unsafeBitCast(x, to: VBits.self)
    let upper = (bits &>> 16) & VBits(repeating: 0xffff)
    let rounded =
        ((bits &+ VBits(repeating: 0x7fff) &+ (upper & VBits(repeating: 1))) &>> 16) & VBits(repeating: 0xffff)
    return rounded.replacing(with: upper | VBits(repeating: 0x40), where: x .!= x)
}

/// Lays columns out in panels of bfloat16: [panel][⌈depth / 2⌉][panelWidth][2]. Nothing is written behind the last column.
///
/// - Parameters:
///   - b: [columns, depth], as PyTorch's weights, rows `ldb` apart.
///   - first: the column of the panels that the first of these is.
///   - out: the panels.
public func packBF16(
    _ b: UnsafePointer<Float>, ldb: Int, depth: Int, columns: Int, first: Int, into out: UnsafeMutablePointer<UInt16>
) {
    let words = (depth &+ 1) / 2
    var column = 0
    while column < columns {
        let place = first &+ column
        let to = out + (place / panelWidth &* words &* panelWidth &+ place % panelWidth) &* 2
        let x = b + column &* ldb
        var k = 0
        while k < 2 &* words {
            to[k / 2 &* panelWidth &* 2 &+ k % 2] = k < depth ? nearestBF16(x[k]) : 0
            k &+= 1
        }
        column &+= 1
    }
}

@inline(__always) private func nearestBF16(_ x: Float) -> UInt16 {
    let bits = x.bitPattern
    if x.isNaN { return UInt16(truncatingIfNeeded: bits &>> 16) | 0x40 }
    return UInt16(truncatingIfNeeded: (bits &+ 0x7fff &+ ((bits &>> 16) & 1)) &>> 16)
}

/// sums + the products within each word, in the order of the instruction that some processors have for it, and with the subnormal
/// numbers that it leaves out.
@inline(__always) func plainDotBF16(_ sums: V, _ a: VBits, _ b: VBits) -> V {
    fma(lower(a), lower(b), fma(upper(a), upper(b), sums))
}

@inline(__always) private func lower(_ x: VBits) -> V { unsafeBitCast(x &<< 16, to: V.self) }
@inline(__always) private func upper(_ x: VBits) -> V {
    unsafeBitCast(x & VBits(repeating: Int32(bitPattern: 0xffff_0000)), to: V.self)
}
