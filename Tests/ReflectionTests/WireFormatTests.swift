import Reflection
import Testing

@Suite("Protobuf's wire format") struct WireFormatTests {
    @Test(
        "varints are those of the format",
        arguments: [
            (0, [0]), (1, [1]), (127, [0x7F]), (128, [0x80, 1]), (300, [0xAC, 2]),
            (UInt64.max, [UInt8](repeating: 0xFF, count: 9) + [1]),
        ] as [(UInt64, [UInt8])])
    func varint(value: UInt64, bytes: [UInt8]) throws {
        var writer = ProtoWriter()
        writer.varint(value)
        #expect(writer.bytes == bytes)
        var reader = ProtoReader(bytes)
        #expect(try reader.varint() == value)
        #expect(reader.isAtEnd)
    }

    @Test(
        "zigzag makes small numbers of either sign small",
        arguments: [(0, 0), (-1, 1), (1, 2), (-2, 3), (Int64.max, UInt64.max - 1), (Int64.min, .max)]
            as [(Int64, UInt64)])
    func zigzag(value: Int64, coded: UInt64) {
        #expect(ProtoWriter.zigzag(value) == coded)
        #expect(ProtoReader.zigzag(coded) == value)
    }

    @Test("fixed numbers and lengths come back") func roundTrip() throws {
        var writer = ProtoWriter()
        writer.tag(1, .fixed32)
        writer.fixed32(0x0102_0304)
        writer.tag(16, .fixed64)
        writer.fixed64(.max - 1)
        writer.tag((1 << 29) - 1, .lengthDelimited)
        writer.lengthDelimited([9, 8])
        var reader = ProtoReader(writer.bytes)
        var tag = try #require(try reader.tag())
        #expect(tag == (1, .fixed32))
        #expect(try reader.fixed32() == 0x0102_0304)
        tag = try #require(try reader.tag())
        #expect(tag == (16, .fixed64))
        #expect(try reader.fixed64() == .max - 1)
        tag = try #require(try reader.tag())
        #expect(tag == ((1 << 29) - 1, .lengthDelimited))
        #expect(try reader.lengthDelimited() == [9, 8])
        #expect(try reader.tag() == nil)
    }

    @Test(
        "what is no message is refused with its place",
        arguments: [
            ("08", "the end in the middle of a field at byte 1"),
            ("0880", "the end in the middle of a field at byte 2"),
            ("08ffffffffffffffffff02", "more than 64 bits at byte 1"),
            ("08ffffffffffffffffffff01", "more than 64 bits at byte 1"), ("0d010203", "middle of a field at byte 1"),
            ("0901020304050607", "middle of a field at byte 1"),
            ("0a0201", "a length of 2 where 1 bytes are left at byte 1"),
            ("0affffffffffffffffff01", "a length of 18446744073709551615 where 0 bytes"), ("0b", "a group"),
            ("0c", "a group"),
            ("0e", "wire type 6"), ("0f", "wire type 7"), ("00", "names no field at byte 0"),
            ("808080808001", "names no field"),
        ])
    func damage(hex: String, problem: String) throws {
        var reader = ProtoReader(try ReflectionFixtures.unhex(hex))
        let error = #expect(throws: ReflectionError.self) {
            while let (_, wireType) = try reader.tag() { try reader.skip(wireType) }
        }
        #expect(error?.code == .dataLoss)
        #expect(error?.message.contains(problem) == true, "\(error?.message ?? "")")
    }
}
