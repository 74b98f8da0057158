import Foundation
import Messages
import Synchronization
import Testing
import Wire

@Suite("Slow peers", .timeLimit(.minutes(2))) struct FlowTests {
    private static let chunk = [UInt8](repeating: 7, count: 64 << 10)

    /// Sends chunks until it fails, and keeps what it failed with.
    private final class Producer: Sendable {
        let sent = Atomic<Int>(0)
        let failure = Mutex<(any Error)?>(nil)
        let hasEnded = Signal()

        var method: ServerMethod {
            V1.TraceRPC.run.handle { [self] (_: V1.TraceRequest, answers, _) in
                do {
                    while true {
                        try await answers.send(V1.TraceEvent(event: .chunk(V1.TensorChunk(data: chunk))))
                        sent.add(1, ordering: .relaxed)
                    }
                } catch {
                    failure.withLock { $0 = error }
                    hasEnded.set()
                    throw error
                }
            }
        }
    }

    private func limits(stall: Duration) -> WireServer.Limits {
        var limits = WireServer.Limits()
        limits.outboundBytes = 256 << 10
        limits.inboundBytes = 256 << 10
        limits.stall = stall
        return limits
    }

    @Test("a reader that takes nothing loses its connection, the producer sees an error, and others are served")
    func stalledReader() async throws {
        let producer = Producer()
        let server = try await TestServer(
            [producer.method, EchoMethods.unary], limits: limits(stall: .milliseconds(300)))
        try await server.run { server in
            let raw = try server.rawConnection()
            try await raw.send(.request(1, "auscult.v1.Trace", "Run", flags: 1))
            let other = try await server.connect()
            while !producer.hasEnded.isSet {
                #expect(try await other.call(V1.ModelRPC.info, V1.ModelRef(name: "x")).name == "x")
                try await Task.sleep(for: .milliseconds(5))
            }
            let failure = producer.failure.withLock { $0 }
            #expect(failure is WireError || failure is CancellationError)
            // What waited: the gate's bytes and the two sockets' own buffers, and no more.
            #expect(producer.sent.load(ordering: .relaxed) * Self.chunk.count < 4 << 20)
            try await eventually { server.server.connectionCount == 1 }
            #expect(server.server.calls.isEmpty)
        }
    }

    @Test("a reader that is slow gets everything, and its producer waits for it")
    func slowReader() async throws {
        let sent = Atomic<Int>(0)
        let server = try await TestServer(
            [
                V1.TraceRPC.run.handle { (_: V1.TraceRequest, answers, _) in
                    for i in 0..<200 {
                        let data = [UInt8](repeating: UInt8(i), count: 64 << 10)
                        try await answers.send(V1.TraceEvent(event: .chunk(V1.TensorChunk(data: data))))
                        sent.add(1, ordering: .relaxed)
                    }
                }
            ], limits: limits(stall: .seconds(60)))
        try await server.run { server in
            let raw = try server.rawConnection()
            try await raw.send(.request(1, "auscult.v1.Trace", "Run", flags: 1))
            for i in 0..<200 {
                let frame = try #require(try await raw.frame())
                #expect(frame.data.last == UInt8(i))
                // Bytes ahead of the reader: bounded by the gate and the sockets' buffers.
                #expect((sent.load(ordering: .relaxed) - i) * Self.chunk.count < 4 << 20)
            }
            #expect(try await raw.frame() == .end(1))
        }
    }

    @Test("a method that does not read holds its client up, and gets everything once it reads", arguments: [0, 60_000])
    func slowMethod(size: Int) async throws {
        let mayRead = Signal()
        let count = Mutex(0)
        let server = try await TestServer(
            [
                V1.AudioRPC.upload.collect { requests, _ in
                    await mayRead.wait()
                    var bytes: UInt64 = 0
                    for try await chunk in requests {
                        bytes += UInt64(chunk.data.count)
                        count.withLock { $0 += 1 }
                    }
                    return V1.UploadedAudio(bytes: bytes)
                },
                EchoMethods.unary,
            ], limits: limits(stall: .seconds(60)))
        try await server.run { server in
            let raw = try server.rawConnection()
            try await raw.send(.request(1, "auscult.v1.Audio", "Upload", flags: 2))
            let message = RawFrame.data(1, V1.UploadChunk(data: [UInt8](repeating: 1, count: size)).serialized()).bytes
            // Send until the socket has taken nothing for a while: the server has stopped reading.
            var sent = 0
            var rest: ArraySlice<UInt8> = message[...]
            var patience = 0
            while patience < 100 {
                let now = raw.sendWhatFits(Array(rest))
                sent += now
                rest = rest.dropFirst(now)
                if rest.isEmpty { rest = message[...] }
                if now == 0 {
                    patience += 1
                    try await Task.sleep(for: .milliseconds(2))
                } else {
                    patience = 0
                }
                // Far more than the bound and the sockets' buffers: it would never stop.
                try #require(sent < 64 << 20)
            }
            let other = try await server.connect()
            #expect(try await other.call(V1.ModelRPC.info, V1.ModelRef(name: "x")).name == "x")
            mayRead.set()
            if rest.count < message.count {
                try await raw.send(Array(rest))
                sent += rest.count
            }
            try await raw.send(.end(1))
            let messages = sent / message.count
            #expect(
                try await raw.frame()?.response?.payload
                    == V1.UploadedAudio(bytes: UInt64(messages * size)).serialized())
            #expect(count.withLock { $0 } == messages)
            // The connection is read again.
            try await raw.send(.echo(3, "next"))
            #expect(try await raw.frame()?.echoed == "next")
        }
    }

    @Test("what a method leaves unread does not hold up its connection for ever")
    func unreadMessages() async throws {
        let server = try await TestServer(
            [
                V1.AudioRPC.upload.collect { _, context in V1.UploadedAudio(uploadId: context.subscriptionID) },
                EchoMethods.unary,
            ], limits: limits(stall: .seconds(60)))
        try await server.run { server in
            let client = try await server.connect()
            // Many times the bound in all.
            for _ in 0..<40 {
                let upload = try await client.open(V1.AudioRPC.upload)
                for _ in 0..<8 { try await upload.send(V1.UploadChunk(data: Self.chunk)) }
                try await upload.finish()
                _ = try await upload.answer()
            }
            #expect(try await client.call(V1.ModelRPC.info, V1.ModelRef(name: "x")).name == "x")
        }
    }

    @Test("what a client leaves unread does not hold up its other calls")
    func unreadAnswers() async throws {
        let server = try await TestServer([
            V1.TraceRPC.run.handle { (_: V1.TraceRequest, answers, _) in
                for _ in 0..<32 {
                    try await answers.send(V1.TraceEvent(event: .chunk(V1.TensorChunk(data: Self.chunk))))
                }
            },
            EchoMethods.unary,
        ])
        try await server.run { server in
            let client = try await server.connect()
            // 2 MiB each time, four times the bound of the client in all.
            for _ in 0..<16 {
                var answers = try await client.stream(V1.TraceRPC.run, V1.TraceRequest()).makeAsyncIterator()
                _ = try await answers.next()
            }
            #expect(try await client.call(V1.ModelRPC.info, V1.ModelRef(name: "x")).name == "x")
        }
    }

    @Test(
        "a client that asks without end and fetches nothing is not read any further, and loses its connection",
        arguments: [
            RawFrame.echo(0, "even"), .request(1, "no.Service", "M"), .echo(1, String(repeating: "x", count: 5000)),
        ])
    func unreadErrors(frame: RawFrame) async throws {
        let server = try await TestServer(limits: limits(stall: .seconds(1)))
        try await server.run { server in
            let raw = try server.rawConnection()
            var sent = 0
            var frame = frame
            var rest: [UInt8] = []
            while true {
                if rest.isEmpty {
                    rest = frame.bytes
                    if frame.stream % 2 == 1 { frame.stream += 2 }
                }
                let now = raw.sendWhatFits(rest)
                sent += now
                rest.removeFirst(now)
                if now == 0 {
                    if server.server.connectionCount == 0 { break }
                    try await Task.sleep(for: .milliseconds(5))
                }
                try #require(sent < 64 << 20, "it reads on")
            }
            let other = try await server.connect()
            #expect(try await other.call(V1.ModelRPC.info, V1.ModelRef(name: "x")).name == "x")
        }
    }
}
