// Vector forms of the scalar functions that a transformer needs.
//
// Goals, in order: within 3e-7 of the true value (relative for exp, absolute for erf); no branch; no call.
// `pointwiseMax`, `.sum()` and conversions are avoided because they do not vectorise; `replacing`, halves and
// the bits of 1.5 × 2^23 do.
//
// This folder is compiled once for each instruction set, with `V`, `lanes`, `tileRows` and `fma` from its `Width.swift`.
// A module of it exposes free functions over pointers and nothing generic: a specialisation of the standard library
// is a weak symbol, and a linker that keeps this module's would send every processor through its instructions.

@inline(__always) func load(_ pointer: UnsafePointer<Float>) -> V {
    UnsafeRawPointer(pointer).loadUnaligned(as: V.self)
}

@inline(__always) func store(_ vector: V, _ pointer: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(pointer).storeBytes(of: vector, as: V.self)
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

@inline(__always) func maximum(_ a: V, _ b: V) -> V { a.replacing(with: b, where: a .< b) }
@inline(__always) func minimum(_ a: V, _ b: V) -> V { a.replacing(with: b, where: b .< a) }

/// e^x for −87.3 ≤ x ≤ 0, which nobody checks here: relative error 1.4e-7 near 0, growing to 4e-7 at −87.
///
/// x = n ln 2 + r with |r| ≤ ln 2 / 2; e^r by the polynomial of Cephes' `expf` (S. Moshier), its terms by pairs (Estrin), which
/// waits half as long as one after the other; and 2^n added to the exponent's bits. Adding 1.5 × 2^23 rounds to an integer without
/// a conversion instruction.
@inline(__always) func exponential(_ x: V) -> V {
    let magic = V(repeating: 12_582_912)
    let shifted = fma(x, V(repeating: 1.44269504), magic)
    let n = shifted - magic
    let r = withoutLogarithms(x, n)
    let square = r * r
    let high = fma(r, V(repeating: 1.9875691500e-4), V(repeating: 1.3981999507e-3))
    let middle = fma(r, V(repeating: 8.3334519073e-3), V(repeating: 4.1665795894e-2))
    let low = fma(r, V(repeating: 1.6666665459e-1), V(repeating: 5.0000001201e-1))
    let p = fma(fma(fma(high, square, middle), square, low), square, r + 1)
    let bits = unsafeBitCast(p, to: VBits.self) &+ (unsafeBitCast(shifted, to: VBits.self) &<< 23)
    return unsafeBitCast(bits, to: V.self)
}

/// The least x that ``exponential(_:)`` takes: below, float32 would be subnormal.
let lowestExponent: Float = -87.33654

/// The same for any x ≤ 0; exactly 0 below ``lowestExponent``, and for −∞.
@inline(__always) func flooredExponential(_ x: V) -> V {
    let lowest = V(repeating: lowestExponent)
    return exponential(maximum(x, lowest)).replacing(with: V(repeating: 0), where: x .< lowest)
}

/// erf(x), absolute error below 3e-7: the rational approximation on [−4, 4] that Eigen uses, ±1 outside.
@inline(__always) func errorFunction(_ input: V) -> V {
    let x = maximum(minimum(input, V(repeating: 4)), V(repeating: -4))
    let z = x * x
    var p = fma(z, V(repeating: -2.72614225801306e-10), V(repeating: 2.77068142495902e-08))
    p = fma(p, z, V(repeating: -2.10102402082508e-06))
    p = fma(p, z, V(repeating: -5.69250639462346e-05))
    p = fma(p, z, V(repeating: -7.34990630326855e-04))
    p = fma(p, z, V(repeating: -2.95459980854025e-03))
    p = fma(p, z, V(repeating: -1.60960333262415e-02))
    var q = fma(z, V(repeating: -1.45660718464996e-05), V(repeating: -2.13374055278905e-04))
    q = fma(q, z, V(repeating: -1.68282697438203e-03))
    q = fma(q, z, V(repeating: -7.37332916720468e-03))
    q = fma(q, z, V(repeating: -1.42647390514189e-02))
    return p * x / q
}
