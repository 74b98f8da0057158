// AVX2 with FMA and F16C (x86-64-v3): 16 registers of 8 floats.

import CVectors

typealias V = SIMD8<Float>
typealias VBits = SIMD8<Int32>
/// Elements of a vector.
let lanes = 8
/// Rows of a tile of a product: 6 × 2 accumulators, two vectors of B and two of A make 16 registers.
let tileRows = 6

/// c + a · b in one rounding.
@inline(__always) func fma(_ a: V, _ b: V, _ c: V) -> V { c.addingProduct(a, b) }

/// The sum of the lanes, by halves: `.sum()` goes lane by lane.
@inline(__always) func horizontalSum(_ v: V) -> Float {
    let fours = v.lowHalf + v.highHalf
    let pairs = fours.lowHalf + fours.highHalf
    return pairs[0] + pairs[1]
}

/// The largest lane, by halves.
@inline(__always) func horizontalMaximum(_ v: V) -> Float {
    let low = v.lowHalf, high = v.highHalf
    let fours = low.replacing(with: high, where: low .< high)
    return max(max(fours[0], fours[1]), max(fours[2], fours[3]))
}

/// `lanes` numbers of half precision as float32; exact.
@inline(__always) func widen(_ halves: UnsafePointer<UInt16>) -> V { vectors_widen8(halves) }

/// Numbers of half precision: the same numbers where half precision has them.
@inline(__always) func narrow(_ x: V) -> SIMD8<UInt16> { vectors_narrow8(x) }
