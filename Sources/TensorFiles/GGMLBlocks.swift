// ggml's block quantisation, as its reference dequantisation (`dequantize_row_*` in ggml-quants.c) defines it.
//
// A block is 32 consecutive elements of a row. It starts with a scale `d` (f16) and, in the `_1` types, a minimum `m`
// (f16); then, in the q5 types, 32 fifth bits; then the values. Byte j of the nibbles holds element j in its low
// half and element j + 16 in its high half. Products of a 5-bit integer and an f16 are exact in float32, so the
// result does not depend on whether a compiler fuses the addition of `m`. A type without minimum adds -0, which
// changes nothing, not even the sign of a zero.

/// Writes `count` (a multiple of 32) elements of the quantised `type` at `source` to `destination`.
package func dequantise(
    _ source: UnsafeRawPointer, _ type: ElementType, count: Int, into destination: UnsafeMutablePointer<Float>
) {
    for block in 0..<count / type.blockLength {
        let bytes = source + block &* type.blockSize
        let out = destination + block &* type.blockLength
        let scale = half(bytes)
        switch type {
        case .q4_0: nibbles(bytes + 2, fifthBits: 0, scale, offset: -8, minimum: -0.0, out)
        case .q4_1: nibbles(bytes + 4, fifthBits: 0, scale, offset: 0, minimum: half(bytes + 2), out)
        case .q5_0: nibbles(bytes + 6, fifthBits: word(bytes + 2), scale, offset: -16, minimum: -0.0, out)
        case .q5_1: nibbles(bytes + 8, fifthBits: word(bytes + 4), scale, offset: 0, minimum: half(bytes + 2), out)
        case .q8_0: signedBytes(bytes + 2, scale, out)
        default: preconditionFailure("\(type) is not a quantised type")
        }
    }
}

@inline(__always)
private func nibbles(
    _ bytes: UnsafeRawPointer, fifthBits: UInt32, _ scale: Float, offset: Int32, minimum: Float,
    _ out: UnsafeMutablePointer<Float>
) {
    for j in 0..<16 {
        let byte = UInt32(bytes.load(fromByteOffset: j, as: UInt8.self))
        let low = (byte & 0x0F) | ((fifthBits >> UInt32(j)) & 1) << 4
        let high = (byte >> 4) | ((fifthBits >> UInt32(j &+ 16)) & 1) << 4
        out[j] = Float(Int32(low) &+ offset) * scale + minimum
        out[j &+ 16] = Float(Int32(high) &+ offset) * scale + minimum
    }
}

@inline(__always)
private func signedBytes(_ bytes: UnsafeRawPointer, _ scale: Float, _ out: UnsafeMutablePointer<Float>) {
    for j in 0..<32 { out[j] = Float(bytes.load(fromByteOffset: j, as: Int8.self)) * scale }
}

private func half(_ bytes: UnsafeRawPointer) -> Float {
    float16ToFloat(UInt16(littleEndian: bytes.loadUnaligned(as: UInt16.self)))
}

private func word(_ bytes: UnsafeRawPointer) -> UInt32 {
    UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self))
}
