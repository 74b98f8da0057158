/// Writes protobuf's wire format.
package struct ProtoWriter: Sendable {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    /// - Parameter number: a field number of a descriptor, 1 to 2^29 - 1.
    package mutating func tag(_ number: Int, _ wireType: WireType) {
        varint(UInt64(truncatingIfNeeded: number) << 3 | UInt64(wireType.rawValue))
    }

    package mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    package mutating func fixed32(_ value: UInt32) { littleEndian(UInt64(value), 4) }
    package mutating func fixed64(_ value: UInt64) { littleEndian(value, 8) }

    /// A length and that many bytes.
    package mutating func lengthDelimited(_ content: some Collection<UInt8>) {
        varint(UInt64(content.count))
        bytes.append(contentsOf: content)
    }

    /// Bytes that are in wire format already.
    package mutating func raw(_ content: some Collection<UInt8>) { bytes.append(contentsOf: content) }

    /// Small numbers of either sign become small.
    package static func zigzag(_ value: Int64) -> UInt64 {
        UInt64(bitPattern: value) << 1 ^ UInt64(bitPattern: value >> 63)
    }

    private mutating func littleEndian(_ value: UInt64, _ count: Int) {
        for index in 0..<count { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
    }
}
