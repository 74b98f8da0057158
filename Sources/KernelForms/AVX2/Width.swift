// AVX2 with FMA and F16C (x86-64-v3): 16 registers of 8 floats.

import CVectors

typealias V = SIMD8<Float>
typealias VBits = SIMD8<Int32>
/// Elements of a vector.
let lanes = 8
/// Rows of a tile of a product: 6 × 2 accumulators, two vectors of B and two of A make 16 registers.
let tileRows = 6
/// Whether halves are widened once for many rows: here that is done beside the products, and storing them would cost more.
let widensOnce = false

/// c + a · b in one rounding.
@inline(__always) func fma(_ a: V, _ b: V, _ c: V) -> V { c.addingProduct(a, b) }

/// x − n ln 2. ln 2 is one constant, 1.9e-9 off, and the product is exact before it is subtracted.
@inline(__always) func withoutLogarithms(_ x: V, _ n: V) -> V { fma(n, V(repeating: -0.69314718), x) }

/// The sum of the lanes, by halves: `.sum()` goes lane by lane.
@inline(__always) func horizontalSum(_ v: V) -> Float {
    let fours = v.lowHalf + v.highHalf
    let pairs = fours.lowHalf + fours.highHalf
    return pairs[0] + pairs[1]
}

/// The largest lane.
@inline(__always) func horizontalMaximum(_ v: V) -> Float { vectors_largest8(v) }

/// The first `count` < `lanes` elements, filled up with `filler`.
@inline(__always) func load(_ pointer: UnsafePointer<Float>, count: Int, filler: Float) -> V {
    vectors_load_some8(pointer, count, filler)
}

/// Stores the first `count` < `lanes` elements.
@inline(__always) func store(_ vector: V, _ pointer: UnsafeMutablePointer<Float>, count: Int) {
    vectors_store_some8(vector, pointer, count)
}

/// `lanes` numbers of half precision as float32; exact.
@inline(__always) func widen(_ halves: UnsafePointer<UInt16>) -> V { vectors_widen8(halves) }

/// Numbers of half precision: the same numbers where half precision has them.
@inline(__always) func narrow(_ x: V) -> SIMD8<UInt16> { vectors_narrow8(x) }

/// Doubles, for spectra: a signal a lane.
typealias D = SIMD4<Double>
typealias DFloats = SIMD4<Float>
let doubleLanes = 4

/// c + a · b in one rounding.
@inline(__always) func fma(_ a: D, _ b: D, _ c: D) -> D { c.addingProduct(a, b) }

/// c − a · b, in as many roundings.
@inline(__always) func fnma(_ a: D, _ b: D, _ c: D) -> D { fma(vectors_negated4(a), b, c) }

/// Four samples of `signals` signals, `hop` apart, by four factors: sample t of signal l goes to out[4 · t + l]. The last
/// signal fills the lanes that are left over.
@inline(__always) func windowed(
    _ x: UnsafePointer<Float>, hop: Int, signals: Int, _ factors: UnsafePointer<Float>,
    into out: UnsafeMutablePointer<Double>
) {
    @inline(__always) func lane(_ l: Int) -> Int { hop &* (l < signals ? l : signals &- 1) }
    vectors_windowed4(x, x + lane(1), x + lane(2), x + lane(3), factors, out)
}

/// The same numbers in single precision, rounded.
@inline(__always) func floats(_ x: D) -> DFloats { vectors_floats4(x) }
