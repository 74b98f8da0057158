// Vector forms of the scalar functions that a transformer needs.
//
// Goals, in order: as near to the true value as float32's rounding of the last steps lets it be; no branch; no call.
// `pointwiseMax`, `.sum()` and conversions are avoided because they do not vectorise; `replacing`, halves and
// the bits of 1.5 × 2^23 do.
//
// This folder is compiled once for each instruction set, with `V`, `lanes`, `tileRows`, `fma` and what goes over a vector's lanes from its
// `Width.swift`.
// A module of it exposes free functions over pointers and nothing generic: a specialisation of the standard library
// is a weak symbol, and a linker that keeps this module's would send every processor through its instructions.

@inline(__always) func load(_ pointer: UnsafePointer<Float>) -> V {
    UnsafeRawPointer(pointer).loadUnaligned(as: V.self)
}

@inline(__always) func store(_ vector: V, _ pointer: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(pointer).storeBytes(of: vector, as: V.self)
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

/// |x| up to where the normal density is a normal float32 by far: beyond, both functions below stay what they are here, below 1e-33.
let farthestTail: Float = 12.5

/// 1 − Φ(t), the upper tail of the normal distribution, and e^(−t²/2), for 0 ≤ t ≤ ``farthestTail``.
///
/// The tail over e^(−t²/2) is smooth in u = 1 / (1 + 0.3 t), as in Abramowitz & Stegun 7.1.26; the polynomial of degree 7 is a
/// minimax fit of max(t, 1) e^(−t²/2) times the error on [0, 5.6], where it leaves 3e-10. What remains is float32's rounding. The tail
/// rather than erf, because 1 + erf(x) of a negative x keeps none of its digits: GELU's negative side would carry the error of a 1.
@inline(__always) func normalTail(_ t: V) -> (tail: V, exponential: V) {
    let u = 1 / fma(t, V(repeating: 0.3), V(repeating: 1))
    var p = fma(u, V(repeating: 0.051734596490859985), V(repeating: -0.3237704336643219))
    p = fma(p, u, V(repeating: 0.7077372074127197))
    p = fma(p, u, V(repeating: -0.5489646792411804))
    p = fma(p, u, V(repeating: 0.4826233983039856))
    p = fma(p, u, V(repeating: -0.013356044888496399))
    p = fma(p, u, V(repeating: 0.1463027149438858))
    p = fma(p, u, V(repeating: -0.002306728158146143))
    let e = exponential(t * -0.5 * t)
    return (p * e, e)
}

/// |x|, at most ``farthestTail``.
@inline(__always) func tailDistance(_ x: V) -> V { minimum(maximum(x, -x), V(repeating: farthestTail)) }
