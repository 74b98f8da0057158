import Synchronization

/// The checksum of zip (ISO 3309, polynomial 0xEDB88320 reflected), eight bytes at a time.
///
/// "Slicing by 8" (Kounavis and Berry 2005): table k holds the effect of a byte that k further bytes follow, so
/// eight table look-ups that do not wait for each other replace eight that do.
struct CRC32 {
    private var state: UInt32 = 0xFFFF_FFFF

    var value: UInt32 { ~state }

    static func of(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        var crc = CRC32()
        crc.update(bytes)
        return crc.value
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        state = Self.tables.withUnsafeBufferPointer { tables in
            var crc = state
            var i = 0
            while i &+ 8 <= bytes.count {
                let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: i, as: UInt64.self)) ^ UInt64(crc)
                crc = 0
                for k in 0..<8 { crc ^= tables[(7 &- k) &* 256 &+ Int((word >> UInt64(8 &* k)) & 0xFF)] }
                i &+= 8
            }
            while i < bytes.count {
                crc = (crc >> 8) ^ tables[Int((crc ^ UInt32(bytes[i])) & 0xFF)]
                i &+= 1
            }
            return crc
        }
    }

    /// Eight tables of 256 entries, one after the other.
    private static let tables: [UInt32] = {
        var tables: [UInt32] = (0..<256).map { byte in
            var crc = UInt32(byte)
            for _ in 0..<8 { crc = (crc >> 1) ^ (crc & 1 == 1 ? 0xEDB8_8320 : 0) }
            return crc
        }
        for i in 256..<2048 { tables.append((tables[i - 256] >> 8) ^ tables[Int(tables[i - 256] & 0xFF)]) }
        return tables
    }()
}

/// Bytes with the checksum that their archive recorded, compared once, when they are first needed.
final class ChecksummedBytes: Sendable {
    private let bytes: FileBytes
    private let expected: UInt32
    private let isVerified = Mutex(false)

    init(_ bytes: FileBytes, expected: UInt32) {
        self.bytes = bytes
        self.expected = expected
    }

    /// - Throws: ``WhisperError`` (`dataLoss`) where the bytes are not those that the checksum was made of.
    func verify() throws {
        try isVerified.withLock { isVerified in
            guard !isVerified else { return }
            let actual = bytes.withUnsafeBytes(CRC32.of)
            guard actual == expected else {
                throw WhisperError(
                    .dataLoss,
                    "\(bytes.name) is damaged: its CRC-32 is \(hex(actual)), the archive recorded \(hex(expected))")
            }
            isVerified = true
        }
    }
}

/// `value` as 0x and eight digits.
func hex(_ value: UInt32) -> String {
    let digits = String(value, radix: 16)
    return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
}
