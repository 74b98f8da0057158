/// How a tensor's elements lie in a file.
///
/// The quantised types are ggml's: a block of 32 elements of one row shares a scale.
public enum ElementType: String, Sendable, CaseIterable {
    case float64 = "F64", float32 = "F32", float16 = "F16", bfloat16 = "BF16"
    case int64 = "I64", int32 = "I32", int16 = "I16", int8 = "I8"
    case uint64 = "U64", uint32 = "U32", uint16 = "U16", uint8 = "U8", bool = "BOOL"
    case q4_0 = "Q4_0", q4_1 = "Q4_1", q5_0 = "Q5_0", q5_1 = "Q5_1", q8_0 = "Q8_0"

    /// Elements that are stored together.
    package var blockLength: Int {
        switch self {
        case .q4_0, .q4_1, .q5_0, .q5_1, .q8_0: 32
        default: 1
        }
    }

    /// Bytes of one block; for the plain types, of one element.
    package var blockSize: Int {
        switch self {
        case .float64, .int64, .uint64: 8
        case .float32, .int32, .uint32: 4
        case .float16, .bfloat16, .int16, .uint16: 2
        case .int8, .uint8, .bool: 1
        case .q4_0: 2 + 16  // scale, nibbles
        case .q4_1: 2 + 2 + 16  // scale, minimum, nibbles
        case .q5_0: 2 + 4 + 16  // scale, fifth bits, nibbles
        case .q5_1: 2 + 2 + 4 + 16
        case .q8_0: 2 + 32
        }
    }

    package var isQuantised: Bool { blockLength > 1 }

    /// Bytes of a tensor of `shape`, or nil where that overflows, or where a row is not a whole number of blocks.
    package func byteCount(of shape: [Int]) -> Int? {
        guard let count = checkedProduct(shape), (shape.last ?? 1) % blockLength == 0 else { return nil }
        return checkedProduct([count / blockLength, blockSize])
    }
}
