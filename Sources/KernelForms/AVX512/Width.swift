// AVX-512 F, BW, CD, DQ, VL (x86-64-v4): 32 registers of 16 floats.

import CVectors

typealias V = SIMD16<Float>
typealias VBits = SIMD16<Int32>
/// Elements of a vector.
let lanes = 16
/// Rows of a tile of a product: 8 × 2 accumulators. 12 × 2 spill on Zen 4, 4 × 2 leave a unit idle.
let tileRows = 8
/// Whether halves are widened once for many rows: on Zen 4 widening two vectors costs as much as two of the sixteen fused
/// products that they go into.
let widensOnce = true

/// c + a · b in one rounding.
@inline(__always) func fma(_ a: V, _ b: V, _ c: V) -> V { c.addingProduct(a, b) }

/// x − n ln 2. ln 2 is one constant, 1.9e-9 off, and the product is exact before it is subtracted.
@inline(__always) func withoutLogarithms(_ x: V, _ n: V) -> V { fma(n, V(repeating: -0.69314718), x) }

/// The sum of the lanes, by halves: `.sum()` goes lane by lane.
@inline(__always) func horizontalSum(_ v: V) -> Float {
    let eights = v.lowHalf + v.highHalf
    let fours = eights.lowHalf + eights.highHalf
    let pairs = fours.lowHalf + fours.highHalf
    return pairs[0] + pairs[1]
}

/// The largest lane.
@inline(__always) func horizontalMaximum(_ v: V) -> Float { vectors_largest16(v) }

/// The first `count` < `lanes` elements, filled up with `filler`.
@inline(__always) func load(_ pointer: UnsafePointer<Float>, count: Int, filler: Float) -> V {
    vectors_load_some16(pointer, count, filler)
}

/// Stores the first `count` < `lanes` elements.
@inline(__always) func store(_ vector: V, _ pointer: UnsafeMutablePointer<Float>, count: Int) {
    vectors_store_some16(vector, pointer, count)
}

/// `lanes` numbers of half precision as float32; exact.
@inline(__always) func widen(_ halves: UnsafePointer<UInt16>) -> V { vectors_widen16(halves) }

/// Numbers of half precision: the same numbers where half precision has them.
@inline(__always) func narrow(_ x: V) -> SIMD16<UInt16> { vectors_narrow16(x) }

/// Doubles, for spectra: a signal a lane.
typealias D = SIMD8<Double>
typealias DFloats = SIMD8<Float>
let doubleLanes = 8

/// c + a · b in one rounding.
@inline(__always) func fma(_ a: D, _ b: D, _ c: D) -> D { c.addingProduct(a, b) }

/// c − a · b, in as many roundings.
@inline(__always) func fnma(_ a: D, _ b: D, _ c: D) -> D { fma(vectors_negated8(a), b, c) }

/// Four samples of `signals` signals, `hop` apart, by four factors: sample t of signal l goes to out[8 · t + l]. The last
/// signal fills the lanes that are left over.
@inline(__always) func windowed(
    _ x: UnsafePointer<Float>, hop: Int, signals: Int, _ factors: UnsafePointer<Float>,
    into out: UnsafeMutablePointer<Double>
) {
    @inline(__always) func lane(_ l: Int) -> Int { hop &* (l < signals ? l : signals &- 1) }
    vectors_windowed8(x, x + lane(1), x + lane(2), x + lane(3), factors, out)
    vectors_windowed8(x + lane(4), x + lane(5), x + lane(6), x + lane(7), factors, out + 4)
}

/// The same numbers in single precision, rounded.
@inline(__always) func floats(_ x: D) -> DFloats { vectors_floats8(x) }
