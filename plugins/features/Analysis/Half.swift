/// Half precision (IEEE 754 binary16), as bits: for values that are kept in numbers, curves and the sample of frames.
///
/// What is beyond ±65504 is kept as that.
enum Half {
    static func bits(_ value: Float) -> UInt16 { Float16(min(max(value, -65504), 65504)).bitPattern }
    static func value(_ bits: UInt16) -> Float { Float(Float16(bitPattern: bits)) }
}
