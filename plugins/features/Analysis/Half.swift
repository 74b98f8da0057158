/// Half precision (IEEE 754 binary16), as bits: for values that are kept in numbers, curves and the sample of frames.
///
/// What is beyond ±65504 is kept as that.
enum Half {
    static func bits(_ value: Float) -> UInt16 { Float16(min(max(value, -65504), 65504)).bitPattern }
    static func value(_ bits: UInt16) -> Float { Float(Float16(bitPattern: bits)) }

    /// ``bits(_:)`` of finite values, one behind the other. Without branches, which the compiler makes into whole vectors: the
    /// conversion itself is a function call each where the processor is not known to have one.
    static func convert(_ values: UnsafePointer<Float>, count: Int, to bits: UnsafeMutablePointer<UInt16>) {
        for index in 0..<count {
            let pattern = values[index].bitPattern
            let magnitude = min(pattern & 0x7fff_ffff, largest)
            // The bit pattern of half the unit in the last place, rounded to even; the exponent's bias is 112 smaller.
            let normal = (magnitude &- 0x3800_0000 &+ 0xfff &+ (magnitude >> 13 & 1)) >> 13
            // Below 2⁻¹⁴ adding 0.5 rounds to multiples of 2⁻²⁴, and leaves their number in the lowest bits.
            let small = (Float(bitPattern: magnitude) + 0.5).bitPattern &- 0x3f00_0000
            let rounded = magnitude < 0x3880_0000 ? small : normal
            bits[index] = UInt16(truncatingIfNeeded: pattern >> 16 & 0x8000 | rounded)
        }
    }

    /// 65504
    private static let largest: UInt32 = 0x477f_e000
}
