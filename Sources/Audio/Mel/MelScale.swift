/// From mel power to what the model sees: y = log10(max(x, 1e-10)), no lower than the peak's − 8, then (y + 4)/4.
enum MelScale {
    typealias Lanes = SIMD8<Float>

    /// In place. `peak` is the greatest power of the whole spectrogram, of which `values` may be a part.
    ///
    /// The last, incomplete vector is computed like the others, so a value's result does not depend on its place.
    static func apply(to values: UnsafeMutableBufferPointer<Float>, peak: Float) {
        let least = log10(Lanes(repeating: max(peak, 1e-10))) - 8
        let width = Lanes.scalarCount
        let whole = values.count / width * width
        let raw = UnsafeMutableRawBufferPointer(values)
        for i in stride(from: 0, to: whole, by: width) {
            let scaled = scale(raw.loadUnaligned(fromByteOffset: 4 * i, as: Lanes.self), least: least)
            raw.storeBytes(of: scaled, toByteOffset: 4 * i, as: Lanes.self)
        }
        var tail = Lanes.zero
        for i in whole..<values.count { tail[i - whole] = values[i] }
        let scaled = scale(tail, least: least)
        for i in whole..<values.count { values[i] = scaled[i - whole] }
    }

    @inline(__always) private static func scale(_ power: Lanes, least: Lanes) -> Lanes {
        let value = log10(power).replacing(with: -10, where: power .<= 1e-10)
        return (value.replacing(with: least, where: value .< least) + 4) * 0.25
    }

    /// log10 of positive normal x, to 2e-7 of the result or of 1; of others, some number.
    ///
    /// x = 2^e·m with m in √½ ..< √2, and ln m = 2·(s + s³/3 + s⁵/5 + s⁷/7 + s⁹/9 + …) with s = (m − 1)/(m + 1), of
    /// magnitude below 0.172, where the first term left out is below 1e-9.
    @inline(__always) static func log10(_ x: Lanes) -> Lanes {
        let bits = unsafeBitCast(x, to: SIMD8<Int32>.self)
        // Subtracting the bits of √½ puts the boundary between exponents there.
        let exponent = (bits &- 0x3F35_04F3) &>> 23
        let m = unsafeBitCast(bits &- (exponent &<< 23), to: Lanes.self)
        // A small integer added to the bits of 1.5·2²³ is added to the number: there is no vector conversion to be had.
        let e = unsafeBitCast(exponent &+ 0x4B40_0000, to: Lanes.self) - 12_582_912
        let s = (m - 1) / (m + 1)
        let z = s * s
        var series = z * Float(1.0 / 9) + Float(1.0 / 7)
        series = series * z + Float(1.0 / 5)
        series = series * z + Float(1.0 / 3)
        series = series * z + 1
        let (log10Of2, twiceLog10OfE): (Float, Float) = (0.301_029_995_66, 0.868_588_963_81)
        return e * log10Of2 + s * series * twiceLog10OfE
    }
}
