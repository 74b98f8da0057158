// Stored elements to float32. One function per type, over raw pointers: the source need not be aligned, as a
// tensor may start anywhere in a file.

/// Writes `count` elements of `type` at `source` to `destination` as float32.
///
/// f16 and bf16 are exact (every value, subnormals, infinities and NaN); f64 and the wide integers are rounded to
/// nearest. The caller has checked that `source` holds `type.byteCount(of: [count])` bytes.
package func widen(
    _ source: UnsafeRawPointer, _ type: ElementType, count: Int, into destination: UnsafeMutablePointer<Float>
) {
    switch type {
    case .float32: UnsafeMutableRawPointer(destination).copyMemory(from: source, byteCount: 4 * count)
    case .float16: widenFloat16(source, count: count, into: destination)
    case .bfloat16: widenBFloat16(source, count: count, into: destination)
    case .float64: each(source, count, destination) { (bits: UInt64) in Float(Double(bitPattern: bits)) }
    case .int64: each(source, count, destination) { (value: Int64) in Float(value) }
    case .int32: each(source, count, destination) { (value: Int32) in Float(value) }
    case .int16: each(source, count, destination) { (value: Int16) in Float(value) }
    case .int8: each(source, count, destination) { (value: Int8) in Float(value) }
    case .uint64: each(source, count, destination) { (value: UInt64) in Float(value) }
    case .uint32: each(source, count, destination) { (value: UInt32) in Float(value) }
    case .uint16: each(source, count, destination) { (value: UInt16) in Float(value) }
    case .uint8: each(source, count, destination) { (value: UInt8) in Float(value) }
    case .bool: each(source, count, destination) { (value: UInt8) in value == 0 ? 0 : 1 }
    case .q4_0, .q4_1, .q5_0, .q5_1, .q8_0: dequantise(source, type, count: count, into: destination)
    }
}

@inline(__always)
private func each<T: FixedWidthInteger>(
    _ source: UnsafeRawPointer, _ count: Int, _ destination: UnsafeMutablePointer<Float>, _ convert: (T) -> Float
) {
    for i in 0..<count {
        let raw = source.loadUnaligned(fromByteOffset: i &* MemoryLayout<T>.size, as: T.self)
        destination[i] = convert(T(littleEndian: raw))
    }
}

private func widenBFloat16(_ source: UnsafeRawPointer, count: Int, into destination: UnsafeMutablePointer<Float>) {
    each(source, count, destination) { (bits: UInt16) in Float(bitPattern: UInt32(bits) << 16) }
}

private func widenFloat16(_ source: UnsafeRawPointer, count: Int, into destination: UnsafeMutablePointer<Float>) {
    each(source, count, destination, float16ToFloat)
}

/// IEEE binary16 to binary32, exactly, in integer operations and one multiplication that the compiler vectorises.
///
/// Exponent and significand, moved to their places in a float32, are too small by a factor of 2^(127 − 15); the
/// multiplication restores it and normalises subnormals at the same time. Only an exponent of all ones (infinity, NaN)
/// does not come out right and is put in its place.
@inline(__always)
package func float16ToFloat(_ bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let magnitude = UInt32(bits & 0x7FFF) << 13
    let scaled = (Float(bitPattern: magnitude) * 0x1p112).bitPattern
    let value = magnitude >= 0x0F80_0000 ? magnitude | 0x7F80_0000 : scaled
    return Float(bitPattern: sign | value)
}
