/// How the bytes of a field are laid out.
package enum WireType: UInt8, Sendable {
    case varint = 0
    case fixed64 = 1
    case lengthDelimited = 2
    case fixed32 = 5

    /// "a varint", for messages about bytes.
    package var name: String {
        switch self {
        case .varint: "a varint"
        case .fixed64: "8 fixed bytes"
        case .lengthDelimited: "bytes with a length"
        case .fixed32: "4 fixed bytes"
        }
    }
}

/// Reads protobuf's wire format from bytes that may be anything: every read is checked against the end, and what is
/// wrong is thrown as ``ReflectionError`` (`dataLoss`) with the byte at which it is.
package struct ProtoReader: Sendable {
    /// Messages within messages are read this deep.
    package static let maximumDepth = 64

    private let bytes: ArraySlice<UInt8>
    /// The next byte, counted in the array that `bytes` are a part of.
    private var position: Int

    package init(_ bytes: [UInt8]) { self.init(bytes[...]) }

    package init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    package var isAtEnd: Bool { position >= bytes.endIndex }
    private var remaining: Int { bytes.endIndex - position }

    /// The next field's number, 1 to 2^29 - 1, and wire type; nil at the end.
    package mutating func tag() throws -> (number: Int, wireType: WireType)? {
        guard !isAtEnd else { return nil }
        let start = position
        let tag = try varint()
        guard tag <= UInt64(UInt32.max), tag >> 3 > 0 else { throw error("a tag that names no field", at: start) }
        let kind = UInt8(tag & 7)
        guard kind != 3, kind != 4 else { throw error("a group, which proto3 does not have,", at: start) }
        guard let wireType = WireType(rawValue: kind) else { throw error("the unknown wire type \(kind)", at: start) }
        return (Int(tag >> 3), wireType)
    }

    package mutating func varint() throws -> UInt64 {
        let start = position
        var value: UInt64 = 0
        for index in 0..<10 {
            let byte = try byte()
            guard index < 9 || byte <= 1 else { break }
            value |= UInt64(byte & 0x7F) << UInt64(7 * index)
            if byte & 0x80 == 0 { return value }
        }
        throw error("a varint of more than 64 bits", at: start)
    }

    package mutating func fixed32() throws -> UInt32 {
        UInt32(truncatingIfNeeded: try littleEndian(4))
    }

    package mutating func fixed64() throws -> UInt64 { try littleEndian(8) }

    /// The bytes after a length.
    package mutating func lengthDelimited() throws -> ArraySlice<UInt8> {
        let start = position
        let length = try varint()
        guard length <= UInt64(remaining) else {
            throw error("a length of \(length) where \(remaining) bytes are left", at: start)
        }
        defer { position += Int(length) }
        return bytes[position..<(position + Int(length))]
    }

    /// Passes over a field's value.
    package mutating func skip(_ wireType: WireType) throws {
        switch wireType {
        case .varint: _ = try varint()
        case .fixed64: _ = try fixed64()
        case .lengthDelimited: _ = try lengthDelimited()
        case .fixed32: _ = try fixed32()
        }
    }

    /// The signed number that zigzag encoding made `value`.
    package static func zigzag(_ value: UInt64) -> Int64 {
        Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    private mutating func byte() throws -> UInt8 {
        guard position < bytes.endIndex else { throw error("the end in the middle of a field", at: position) }
        defer { position += 1 }
        return bytes[position]
    }

    private mutating func littleEndian(_ count: Int) throws -> UInt64 {
        guard remaining >= count else { throw error("the end in the middle of a field", at: position) }
        defer { position += count }
        return bytes[position..<(position + count)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private func error(_ problem: String, at position: Int) -> ReflectionError {
        ReflectionError(.dataLoss, "not a protobuf message: \(problem) at byte \(position - bytes.startIndex)")
    }
}
