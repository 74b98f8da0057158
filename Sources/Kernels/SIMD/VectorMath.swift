// Vector forms of the scalar functions that a transformer needs.
//
// Goals, in order: within 3e-7 of the true value (relative for exp, absolute for erf); no branch; no call.
// `addingProduct` is avoided on purpose: on x86-64 without FMA it becomes a call per lane.
// `pointwiseMax` and `.sum()` are avoided because they do not vectorise; `replacing` and halving do.

/// The vector of the baseline form: two SSE registers, or one of AVX.
typealias Vector = SIMD8<Float>
typealias VectorBits = SIMD8<Int32>
let vectorWidth = 8

@inline(__always) func load(_ pointer: UnsafePointer<Float>) -> Vector {
    UnsafeRawPointer(pointer).loadUnaligned(as: Vector.self)
}

@inline(__always) func store(_ vector: Vector, _ pointer: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(pointer).storeBytes(of: vector, as: Vector.self)
}

@inline(__always) func maximum(_ a: Vector, _ b: Vector) -> Vector { a.replacing(with: b, where: a .< b) }
@inline(__always) func minimum(_ a: Vector, _ b: Vector) -> Vector { a.replacing(with: b, where: b .< a) }

@inline(__always) func horizontalSum(_ v: Vector) -> Float {
    let a = v.lowHalf + v.highHalf
    let b = a.lowHalf + a.highHalf
    return b[0] + b[1]
}

@inline(__always) func horizontalMaximum(_ v: Vector) -> Float {
    let low = v.lowHalf, high = v.highHalf
    let a = low.replacing(with: high, where: low .< high)
    return max(max(a[0], a[1]), max(a[2], a[3]))
}

/// e^x, relative error below 2e-7; exactly 0 below −87.3 (also for −∞), where float32 would be subnormal.
///
/// x = n ln 2 + r with |r| ≤ ln 2 / 2; e^r by the polynomial of Cephes' `expf` (S. Moshier), and 2^n added to
/// the exponent's bits. Adding 1.5 × 2^23 rounds to an integer without a conversion instruction.
@inline(__always) func exponential(_ input: Vector) -> Vector {
    let lowest = Vector(repeating: -87.33654)
    let x = minimum(maximum(input, lowest), Vector(repeating: 88.37626))
    let magic = Vector(repeating: 12_582_912)
    let shifted = x * 1.44269504 + magic
    let n = shifted - magic
    let r = (x - n * 0.693359375) + n * 2.12194440e-4
    var p = r * 1.9875691500e-4 + 1.3981999507e-3
    p = p * r + 8.3334519073e-3
    p = p * r + 4.1665795894e-2
    p = p * r + 1.6666665459e-1
    p = p * r + 5.0000001201e-1
    p = p * (r * r) + (r + 1)
    let bits = unsafeBitCast(p, to: VectorBits.self) &+ (unsafeBitCast(shifted, to: VectorBits.self) &<< 23)
    return unsafeBitCast(bits, to: Vector.self).replacing(with: Vector(repeating: 0), where: input .< lowest)
}

/// erf(x), absolute error below 3e-7: the rational approximation on [−4, 4] that Eigen uses, ±1 outside.
@inline(__always) func errorFunction(_ input: Vector) -> Vector {
    let x = maximum(minimum(input, Vector(repeating: 4)), Vector(repeating: -4))
    let z = x * x
    var p = z * -2.72614225801306e-10 + 2.77068142495902e-08
    p = p * z + -2.10102402082508e-06
    p = p * z + -5.69250639462346e-05
    p = p * z + -7.34990630326855e-04
    p = p * z + -2.95459980854025e-03
    p = p * z + -1.60960333262415e-02
    var q = z * -1.45660718464996e-05 + -2.13374055278905e-04
    q = q * z + -1.68282697438203e-03
    q = q * z + -7.37332916720468e-03
    q = q * z + -1.42647390514189e-02
    return p * x / q
}
