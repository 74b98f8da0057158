// From mel power to what the model sees: y = log10(max(x, 1e-10)), no lower than the peak's − 8, then (y + 4)/4.

/// `count` values of `x` into `y`, which may be `x`. `peak` is the greatest power of the whole spectrogram.
///
/// The last, incomplete vector is computed like the others, so a value's result does not depend on its place.
public func melScale(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int, peak: Float
) {
    let least = log10(V(repeating: peak > 1e-10 ? peak : 1e-10)) - 8
    var i = 0
    while i &+ lanes <= count {
        store(scaled(load(x + i), least), y + i)
        i &+= lanes
    }
    if i < count { store(scaled(load(x + i, count: count &- i, filler: 0), least), y + i, count: count &- i) }
}

@inline(__always) private func scaled(_ power: V, _ least: V) -> V {
    let value = log10(power).replacing(with: V(repeating: -10), where: power .<= V(repeating: 1e-10))
    return (maximum(value, least) + 4) * 0.25
}

/// log10 of positive normal x, to 2e-7 of the result or of 1; of others, some number.
///
/// x = 2^e·m with m in √½ ..< √2, and ln m = 2·(s + s³/3 + s⁵/5 + s⁷/7 + s⁹/9 + …) with s = (m − 1)/(m + 1), of
/// magnitude below 0.172, where the first term left out is below 1e-9.
@inline(__always) func log10(_ x: V) -> V {
    let bits = unsafeBitCast(x, to: VBits.self)
    // Subtracting the bits of √½ puts the boundary between exponents there.
    let exponent = (bits &- VBits(repeating: 0x3F35_04F3)) &>> VBits(repeating: 23)
    let m = unsafeBitCast(bits &- (exponent &<< VBits(repeating: 23)), to: V.self)
    // A small integer added to the bits of 1.5·2²³ is added to the number.
    let e = unsafeBitCast(exponent &+ VBits(repeating: 0x4B40_0000), to: V.self) - 12_582_912
    let s = (m - 1) / (m + 1)
    let z = s * s
    var series = fma(z, V(repeating: 1.0 / 9), V(repeating: 1.0 / 7))
    series = fma(series, z, V(repeating: 1.0 / 5))
    series = fma(series, z, V(repeating: 1.0 / 3))
    series = fma(series, z, V(repeating: 1))
    return fma(e, V(repeating: 0.301_029_995_66), s * series * 0.868_588_963_81)
}
