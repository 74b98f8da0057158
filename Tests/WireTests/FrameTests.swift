import NIOCore
import Testing
import Wire

@Suite("Frames") struct FrameTests {
    /// What a decoder makes of `bytes` that come in pieces of `size`.
    private func events(_ bytes: [UInt8], inPiecesOf size: Int) throws -> [FrameEvent] {
        var decoder = FrameDecoder()
        var buffer = ByteBuffer()
        var events: [FrameEvent] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            buffer.writeBytes(bytes[start..<min(bytes.count, start + size)])
            while let event = try decoder.decode(buffer: &buffer) { events.append(event) }
        }
        return events
    }

    @Test("however the bytes are cut, the same frames come out", arguments: [1, 2, 7, 10, 11, 4096])
    func pieces(size: Int) throws {
        let oversized = RawFrame.header(length: (4 << 20) + 1, stream: 5, kind: 1)
        let bytes =
            RawFrame(stream: 1, kind: 1, flags: 1, data: [1, 2, 3]).bytes + RawFrame(stream: 3, kind: 3).bytes
            + oversized
            + [UInt8](repeating: 9, count: (4 << 20) + 1) + RawFrame(stream: 7, kind: 99, flags: 255, data: [4]).bytes
        #expect(
            try events(bytes, inPiecesOf: size) == [
                .frame(Frame(stream: 1, kind: .request, flags: .remoteClosed, data: ByteBuffer(bytes: [1, 2, 3]))),
                .frame(Frame(stream: 3, kind: .data, flags: [], data: ByteBuffer())),
                .oversized(Frame.Header(length: (4 << 20) + 1, stream: 5, kind: .request, flags: [])),
                .frame(
                    Frame(
                        stream: 7, kind: Frame.Kind(rawValue: 99), flags: Frame.Flags(rawValue: 255),
                        data: ByteBuffer(bytes: [4]))),
            ])
    }

    @Test("the longest frame passes, and 4 GiB are announced without being kept")
    func bounds() throws {
        let longest = RawFrame(stream: 1, kind: 3, data: [UInt8](repeating: 7, count: Frame.longest)).bytes
        let events = try events(longest, inPiecesOf: 1 << 20)
        guard case .frame(let frame)? = events.first else {
            Issue.record("the longest frame did not come")
            return
        }
        #expect(frame.data.readableBytes == Frame.longest)

        var decoder = FrameDecoder()
        var buffer = ByteBuffer(bytes: RawFrame.header(length: .max, stream: 9, kind: 3))
        #expect(
            try decoder.decode(buffer: &buffer)
                == .oversized(Frame.Header(length: .max, stream: 9, kind: .data, flags: [])))
        for _ in 0..<64 {
            buffer.writeRepeatingByte(0, count: 1 << 20)
            #expect(try decoder.decode(buffer: &buffer) == nil)
            #expect(buffer.readableBytes == 0)
            buffer.clear()
        }
    }
}
