import CProtos
import Messages
import Testing
import Wire

@Suite("Messages from outside") struct MemoryTests {
    /// A message with text, bytes, lists of messages, packed numbers and oneofs, and unknown fields at its end.
    private static let message = V1.Transcript(
        file: "a.wav", duration: 3.5, language: "en", text: " Hello.",
        segments: [
            V1.Segment(
                id: 0, seek: 0, start: 0, end: 2, text: " Hello.", tokens: Array(50_000..<50_040), temperature: 0,
                avgLogprob: -0.5, compressionRatio: 1,
                words: [
                    V1.Word(word: " Hello", start: 0, end: 1, probability: 0.5), V1.Word(word: ".", start: 1, end: 2),
                ], hasWords: true),
            V1.Segment(id: 1, text: ""),
        ])

    private func unpack<M: ProtoMessage>(
        _ bytes: [UInt8], as type: M.Type, budget: Int
    ) -> (Result<M, any Error>, Unpacking.Memory) {
        var memory = Unpacking.Memory(budget: budget)
        let result = Result { try bytes.withUnsafeBytes { try Unpacking.unpack($0, as: type, memory: &memory) } }
        return (result, memory)
    }

    @Test("whichever allocation fails, unpacking fails cleanly and everything is freed")
    func failingAllocations() throws {
        // Field 1000, a text, twice: unknown fields are kept apart.
        let unknown: [UInt8] = [0xC2, 0x3E, 0x02, 0x68, 0x69]
        let bytes = Self.message.serialized() + unknown + unknown
        let (whole, memory) = unpack(bytes, as: V1.Transcript.self, budget: 1 << 20)
        #expect(try whole.get() == Self.message)
        #expect(memory.live == 0)
        let needed = (1 << 20) - memory.left
        #expect(needed > bytes.count)
        // Every budget below what it takes: so each allocation is the first to fail for some of them.
        for budget in 0..<needed {
            let (result, memory) = unpack(bytes, as: V1.Transcript.self, budget: budget)
            guard case .failure(let error as MessageError) = result else {
                Issue.record("\(budget) of \(needed) bytes were enough")
                return
            }
            #expect(error.kind == .tooLarge)
            #expect(memory.live == 0, "with a budget of \(budget)")
        }
        let (enough, _) = unpack(bytes, as: V1.Transcript.self, budget: needed)
        #expect(try enough.get() == Self.message)
    }

    @Test("a message that comes in two parts is merged, whichever allocation fails")
    func merging() throws {
        // audio twice, each with a part of it: protobuf-c merges them.
        let parts =
            V1.TranscribeRequest(audio: V1.AudioSource(name: "first", span: V1.Span(start: 1))).serialized()
            + V1.TranscribeRequest(audio: V1.AudioSource(source: .clip("c"), name: "second")).serialized()
        let (whole, memory) = unpack(parts, as: V1.TranscribeRequest.self, budget: 1 << 20)
        #expect(
            try whole.get().audio
                == V1.AudioSource(source: .clip("c"), name: "second", span: V1.Span(start: 1)))
        #expect(memory.live == 0)
        for budget in 0..<(1 << 20) - memory.left {
            let (result, memory) = unpack(parts, as: V1.TranscribeRequest.self, budget: budget)
            #expect(throws: MessageError.self) { try result.get() }
            #expect(memory.live == 0, "with a budget of \(budget)")
        }
    }

    @Test("4 MiB of the smallest fields take no more memory than their budget")
    func budget() throws {
        for (pair, message) in [
            ([0x78, 0x00], "unknown fields"), ([0x2A, 0x00], "empty metadata"), ([0x0A, 0x00], "the same text"),
        ] as [([UInt8], String)] {
            let bytes = Array(repeatElement(pair, count: 2 << 20).joined())
            let budget = Unpacking.budget(forSize: bytes.count)
            #expect(budget == 64 << 20)
            let (_, memory) = unpack(bytes, as: TTRPC.Request.self, budget: budget)
            #expect(memory.left >= 0 && memory.live == 0, "\(message)")
        }
        let bytes = Array(repeatElement([0x78, 0x00] as [UInt8], count: 2 << 20).joined())
        let error = #expect(throws: MessageError.self) { try TTRPC.Request(serialized: bytes) }
        #expect(error?.kind == .tooLarge)
    }

    @Test(
        "packed numbers are walked to their end",
        arguments: [
            ([0x32, 0x01, 0x80], "a auscult.v1.Segment.tokens of 1 bytes breaks off in a number at byte 0"),
            ([0x32, 0x02, 0x01, 0xFF], "a auscult.v1.Segment.tokens of 2 bytes breaks off in a number at byte 1"),
        ] as [([UInt8], String)])
    func packed(bytes: [UInt8], message: String) {
        let error = #expect(throws: MessageError.self) { try V1.Segment(serialized: bytes) }
        #expect(error?.message == message)
    }

    @Test("a message inside a message is checked by its field's name")
    func nested() {
        // segments: { words: { word: 0xFF } }
        let bytes: [UInt8] = [0x2A, 0x05, 0x5A, 0x03, 0x0A, 0x01, 0xFF]
        let error = #expect(throws: MessageError.self) { try V1.Transcript(serialized: bytes) }
        #expect(error?.message == "auscult.v1.Word.word is not UTF-8")
    }

    /// The contract has no message that contains itself, so one is described by hand.
    @Test("messages nested without end are refused at a depth of 32", arguments: [31, 32, 10_000])
    func recursion(depth: Int) {
        withRecursiveDescriptor { descriptor in
            // Field 1, length-delimited, around what is inside; lengths take one to three bytes.
            var bytes: [UInt8] = []
            for _ in 0..<depth {
                var length = bytes.count
                var header: [UInt8] = [0x0A]
                repeat {
                    header.append(UInt8(length & 0x7F) | (length > 0x7F ? 0x80 : 0))
                    length >>= 7
                } while length > 0
                bytes = header + bytes
            }
            let result = Result { try bytes.withUnsafeBytes { try MessageCheck.check($0, descriptor) } }
            if depth < MessageCheck.deepest {
                #expect(throws: Never.self) { try result.get() }
            } else {
                let error = #expect(throws: MessageError.self) { try result.get() }
                #expect(error?.message == "a Node is nested deeper than 32 messages")
            }
        }
    }

    private func withRecursiveDescriptor(_ body: (UnsafePointer<ProtobufCMessageDescriptor>) -> Void) {
        let descriptor = UnsafeMutablePointer<ProtobufCMessageDescriptor>.allocate(capacity: 1)
        let field = UnsafeMutablePointer<ProtobufCFieldDescriptor>.allocate(capacity: 1)
        let ranges = UnsafeMutablePointer<ProtobufCIntRange>.allocate(capacity: 2)
        defer {
            descriptor.deallocate()
            field.deallocate()
            ranges.deallocate()
        }
        "Node".withCString { name in
            descriptor.initialize(to: ProtobufCMessageDescriptor())
            field.initialize(to: ProtobufCFieldDescriptor())
            field.pointee.name = name
            field.pointee.id = 1
            field.pointee.type = PROTOBUF_C_TYPE_MESSAGE
            field.pointee.descriptor = UnsafeRawPointer(descriptor)
            // One range, from id 1 at index 0, and the end.
            ranges.initialize(to: ProtobufCIntRange(start_value: 1, orig_index: 0))
            (ranges + 1).initialize(to: ProtobufCIntRange(start_value: 0, orig_index: 1))
            descriptor.pointee.name = name
            descriptor.pointee.n_fields = 1
            descriptor.pointee.fields = UnsafePointer(field)
            descriptor.pointee.n_field_ranges = 1
            descriptor.pointee.field_ranges = UnsafePointer(ranges)
            body(descriptor)
        }
    }
}
