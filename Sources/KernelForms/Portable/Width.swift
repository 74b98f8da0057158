// What any processor of the architecture has: SSE2 on x86-64, NEON on aarch64.

import CVectors

typealias V = SIMD4<Float>
typealias VBits = SIMD4<Int32>
/// Elements of a vector.
let lanes = 4
/// Whether halves are widened once for many rows.
let widensOnce = false

#if arch(arm64)
    /// Rows of a tile of a product: 8 × 2 accumulators of 32 registers.
    let tileRows = 8
    /// c + a · b in one rounding.
    @inline(__always) func fma(_ a: V, _ b: V, _ c: V) -> V { c.addingProduct(a, b) }

    /// x − n ln 2. ln 2 is one constant, 1.9e-9 off, and the product is exact before it is subtracted.
    @inline(__always) func withoutLogarithms(_ x: V, _ n: V) -> V { fma(n, V(repeating: -0.69314718), x) }
#else
    /// Rows of a tile of a product: 4 × 2 accumulators of 16 registers.
    let tileRows = 4
    /// c + a · b in two roundings: SSE2 has no fused product, and asking for one is a call for each lane.
    @inline(__always) func fma(_ a: V, _ b: V, _ c: V) -> V { c + a * b }

    /// x − n ln 2, with ln 2 in two constants (Cody and Waite): n times the first has no rounding.
    @inline(__always) func withoutLogarithms(_ x: V, _ n: V) -> V { (x - n * 0.693359375) + n * 2.12194440e-4 }
#endif

/// The sum of the lanes, by halves: `.sum()` goes lane by lane.
@inline(__always) func horizontalSum(_ v: V) -> Float {
    let pairs = v.lowHalf + v.highHalf
    return pairs[0] + pairs[1]
}

/// The largest lane, by halves.
@inline(__always) func horizontalMaximum(_ v: V) -> Float {
    let low = v.lowHalf, high = v.highHalf
    let pairs = low.replacing(with: high, where: low .< high)
    return max(pairs[0], pairs[1])
}

/// The first `count` < `lanes` elements, filled up with `filler`.
@inline(__always) func load(_ pointer: UnsafePointer<Float>, count: Int, filler: Float) -> V {
    var vector = V(repeating: filler)
    var lane = 0
    while lane < count {
        vector[lane] = pointer[lane]
        lane &+= 1
    }
    return vector
}

/// Stores the first `count` < `lanes` elements.
@inline(__always) func store(_ vector: V, _ pointer: UnsafeMutablePointer<Float>, count: Int) {
    var lane = 0
    while lane < count {
        pointer[lane] = vector[lane]
        lane &+= 1
    }
}

/// `lanes` numbers of half precision as float32; exact.
@inline(__always) func widen(_ halves: UnsafePointer<UInt16>) -> V { vectors_widen4(halves) }

/// Numbers of half precision: the same numbers where half precision has them.
@inline(__always) func narrow(_ x: V) -> SIMD4<UInt16> { vectors_narrow4(x) }

/// Doubles, for spectra: a signal a lane.
typealias D = SIMD2<Double>
typealias DFloats = SIMD2<Float>
let doubleLanes = 2

#if arch(arm64)
    /// c + a · b in one rounding.
    @inline(__always) func fma(_ a: D, _ b: D, _ c: D) -> D { c.addingProduct(a, b) }
#else
    /// c + a · b in two roundings.
    @inline(__always) func fma(_ a: D, _ b: D, _ c: D) -> D { c + a * b }
#endif

/// c − a · b, in as many roundings.
@inline(__always) func fnma(_ a: D, _ b: D, _ c: D) -> D { fma(vectors_negated2(a), b, c) }

/// Four samples of `signals` signals, `hop` apart, by four factors: sample t of signal l goes to out[2 · t + l]. The last
/// signal fills the lanes that are left over.
@inline(__always) func windowed(
    _ x: UnsafePointer<Float>, hop: Int, signals: Int, _ factors: UnsafePointer<Float>,
    into out: UnsafeMutablePointer<Double>
) {
    @inline(__always) func lane(_ l: Int) -> Int { hop &* (l < signals ? l : signals &- 1) }
    vectors_windowed2(x, x + lane(1), factors, out)
}

/// The same numbers in single precision, rounded.
@inline(__always) func floats(_ x: D) -> DFloats { vectors_floats2(x) }
