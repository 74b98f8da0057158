// What any processor of the architecture has: products of two numbers of 16 bits.

import CVectors

/// Elements of a word of quantised numbers: two of 16 bits.
let wordDepth = 2
/// What is added to a quantised activation before it is stored.
let byteOffset: Int32 = 0

/// The first words of `lanes` columns of a panel of bytes.
@inline(__always) func loadBytes(_ pointer: UnsafeRawPointer) -> VBits { vectors_bytes4(pointer) }

/// sums + the products within each word.
@inline(__always) func dotBytes(_ sums: VBits, _ a: VBits, _ b: VBits) -> VBits { vectors_dot_pairs4(sums, a, b) }

/// sums + the products within each word, of numbers of bfloat16.
@inline(__always) func dotBF16(_ sums: V, _ a: VBits, _ b: VBits) -> V { plainDotBF16(sums, a, b) }

/// Stores `lanes` quantised numbers, in the lowest bits of each lane, as words.
@inline(__always) func storeQuantised(_ bits: VBits, _ pointer: UnsafeMutableRawPointer) {
    vectors_store_low4(bits, pointer)
}

/// Stores the lower 16 bits of each lane.
@inline(__always) func storeLow(_ bits: VBits, _ pointer: UnsafeMutableRawPointer) { vectors_store_low4(bits, pointer) }

/// Whole numbers as float32.
@inline(__always) func float(_ x: VBits) -> V { vectors_float4(x) }
