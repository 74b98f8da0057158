// AVX512-VNNI sums products of four bytes, unsigned by signed; AVX512-BF16 those of two numbers of bfloat16.
//
// A processor that has the one and not the other runs this form as well: nobody calls the products of bfloat16 there.

import CVectors

/// Elements of a word of quantised numbers: four bytes.
let wordDepth = 4
/// What is added to a quantised activation before it is stored: the instruction wants it unsigned.
let byteOffset: Int32 = 128

/// The first words of `lanes` columns of a panel of bytes.
@inline(__always) func loadBytes(_ pointer: UnsafeRawPointer) -> VBits { pointer.loadUnaligned(as: VBits.self) }

/// sums + the products within each word.
@inline(__always) func dotBytes(_ sums: VBits, _ a: VBits, _ b: VBits) -> VBits { vectors_dot_quads16(sums, a, b) }

/// sums + the products within each word, of numbers of bfloat16.
@inline(__always) func dotBF16(_ sums: V, _ a: VBits, _ b: VBits) -> V { vectors_dot_bf16(sums, a, b) }

/// Stores `lanes` quantised numbers, in the lowest bits of each lane, as words.
@inline(__always) func storeQuantised(_ bits: VBits, _ pointer: UnsafeMutableRawPointer) {
    vectors_store_offset_bytes16(bits, pointer)
}

/// Stores the lower 16 bits of each lane.
@inline(__always) func storeLow(_ bits: VBits, _ pointer: UnsafeMutableRawPointer) {
    vectors_store_low16(bits, pointer)
}

/// Whole numbers as float32.
@inline(__always) func float(_ x: VBits) -> V { vectors_float16(x) }
