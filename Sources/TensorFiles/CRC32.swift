import CZlib
import Synchronization

/// The checksum of zip (ISO 3309), by zlib.
package struct CRC32 {
    package private(set) var value: UInt32 = 0

    package static func of(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        var crc = CRC32()
        crc.update(bytes)
        return crc.value
    }

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        // Without an address zlib answers the value it starts from, whatever was given.
        guard let base = bytes.baseAddress else { return }
        let crc = crc32_z(uLong(value), base.assumingMemoryBound(to: UInt8.self), bytes.count)
        value = UInt32(truncatingIfNeeded: crc)
    }
}

/// Bytes with the checksum that their archive recorded, compared once, when they are first needed.
package final class ChecksummedBytes: Sendable {
    private let bytes: FileBytes
    private let expected: UInt32
    private let isVerified = Mutex(false)

    package init(_ bytes: FileBytes, expected: UInt32) {
        self.bytes = bytes
        self.expected = expected
    }

    /// - Throws: ``TensorFileError`` (`dataLoss`) where the bytes are not those that the checksum was made of.
    package func verify() throws {
        try isVerified.withLock { isVerified in
            guard !isVerified else { return }
            let actual = bytes.withUnsafeBytes(CRC32.of)
            guard actual == expected else {
                throw TensorFileError(
                    .dataLoss,
                    "\(bytes.name) is damaged: its CRC-32 is \(hex(actual)), the archive recorded \(hex(expected))")
            }
            isVerified = true
        }
    }
}

/// `value` as 0x and eight digits.
package func hex(_ value: UInt32) -> String {
    let digits = String(value, radix: 16)
    return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
}
