import Messages
import NIOCore
import Synchronization
import Testing
import Wire

@Suite("Conversations as other clients have them") struct GoldenConversationTests {
    @Test("Go's unary request is read whole")
    func goUnary() throws {
        var decoder = FrameDecoder()
        var buffer = ByteBuffer(bytes: GoldenFrames.goUnary)
        let event = try #require(try decoder.decode(buffer: &buffer))
        #expect(buffer.readableBytes == 0)
        var streams = ServerStreams(limit: 1)
        #expect(
            streams.receive(event)
                == .open(
                    stream: 1,
                    TTRPC.Request(
                        service: "svc", method: "M", timeoutNano: 4_999_912_345,
                        metadata: [TTRPC.KeyValue(key: "k", value: "v")]),
                    isOpen: false))
    }

    @Test("our own unary request is the same, byte by byte")
    func ourUnary() throws {
        let request = TTRPC.Request(
            service: "svc", method: "M", timeoutNano: 4_999_912_345, metadata: [TTRPC.KeyValue(key: "k", value: "v")])
        #expect(RawFrame(stream: 1, kind: 1, data: request.serialized()).bytes == GoldenFrames.goUnary)
    }

    @Test("a server stream is bare messages, and ends with an empty frame with flags 5")
    func serverStream() async throws {
        let server = try await TestServer([
            Health.HealthRPC.watch.handle { (_: Health.HealthCheckRequest, answers, _) in
                try await answers.send(Health.HealthCheckResponse(status: .serving))
                try await answers.send(Health.HealthCheckResponse(status: .notServing))
            }
        ])
        try await server.run { server in
            let raw = try server.rawConnection()
            try await raw.send(GoldenFrames.watch)
            #expect(try await raw.receive(GoldenFrames.watched.count) == GoldenFrames.watched)
        }
    }

    @Test("a client stream opens with flags 2 (Go) or 6 (Rust), and ends with 5 or 1", arguments: [2, 6], [5, 1])
    func clientStream(open: UInt8, end: UInt8) async throws {
        try await TestServer().run { server in
            let raw = try server.rawConnection()
            try await raw.send(GoldenFrames.upload(flags: open) + GoldenFrames.chunks + GoldenFrames.end(flags: end))
            #expect(try await raw.receive(GoldenFrames.uploaded.count) == GoldenFrames.uploaded)
        }
    }

    @Test("both sides stream, and each ends for itself", arguments: [2, 6], [5, 1])
    func bidirectional(open: UInt8, end: UInt8) async throws {
        try await TestServer().run { server in
            let raw = try server.rawConnection()
            try await raw.send(GoldenFrames.reflect(flags: open))
            for _ in 0..<3 {
                try await raw.send(GoldenFrames.host)
                #expect(try await raw.receive(GoldenFrames.host.count) == GoldenFrames.host)
            }
            try await raw.send(GoldenFrames.end(flags: end))
            #expect(try await raw.receive(10) == GoldenFrames.end(flags: 5))
        }
    }

    /// What our client puts on the wire, against a server that writes frames by hand.
    @Test("our client opens, sends and closes as Go's does")
    func ourClient() async throws {
        let server = try await HandWrittenServer()
        async let raw = server.connection()
        let client = try await WireClient.connect(to: server.path)
        let connection = try await raw

        let upload = try await client.open(V1.AudioRPC.upload)
        try await upload.send(V1.UploadChunk(data: [0xAA, 0xBB]))
        try await upload.send(V1.UploadChunk(data: [0xCC, 0xDD]))
        try await upload.finish()
        let sent = GoldenFrames.upload(flags: 2) + GoldenFrames.chunks + GoldenFrames.end(flags: 5)
        #expect(try await connection.receive(sent.count) == sent)
        try await connection.send(GoldenFrames.uploaded)
        #expect(try await upload.answer() == V1.UploadedAudio(uploadId: "u", bytes: 4))

        let watch = try await client.stream(Health.HealthRPC.watch, Health.HealthCheckRequest())
        let opened = try #require(try await connection.frame())
        #expect((opened.stream, opened.kind, opened.flags) == (3, 1, 1))
        #expect(opened.data == Array(GoldenFrames.watch.dropFirst(10)))
        // The end may come with flags 5 or 1, or as an OK response.
        try await connection.send(.data(3, [0x08, 0x01]), .end(3, flags: 1))
        var seen: [Health.HealthCheckResponse] = []
        for try await answer in watch { seen.append(answer) }
        #expect(seen.map(\.status) == [.serving])
        await client.close()
    }
}
