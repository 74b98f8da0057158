import Messages
import Synchronization
import Testing
import Wire

@Suite("Calls", .timeLimit(.minutes(2))) struct CallTests {
    @Test("a unary call is answered")
    func unary() async throws {
        try await TestServer().run { server in
            let client = try await server.connect()
            #expect(try await client.call(V1.ModelRPC.info, V1.ModelRef(name: "tiny")).name == "tiny")
            // An empty message is a message.
            #expect(try await client.call(V1.ModelRPC.info, V1.ModelRef()) == V1.ModelInfo())
        }
    }

    @Test("a stream of answers comes whole and in order, and begins with its subscription id")
    func serverStream() async throws {
        try await TestServer().run { server in
            let client = try await server.connect()
            var names: [String] = []
            for try await event in try await client.stream(V1.ModelRPC.pull, V1.PullModelRequest(name: "500")) {
                switch event.event {
                case .started(let started)?: names.append(started.subscriptionId)
                case .verifying(let name)?: names.append(name)
                default: Issue.record("an event that was not sent: \(event)")
                }
            }
            #expect(names.first?.isEmpty == false)
            #expect(names.dropFirst().elementsEqual((0..<500).map(String.init)))
        }
    }

    @Test("a stream of requests is answered once")
    func clientStream() async throws {
        try await TestServer().run { server in
            let client = try await server.connect()
            let upload = try await client.open(V1.AudioRPC.upload)
            for size in 0..<100 { try await upload.send(V1.UploadChunk(data: [UInt8](repeating: 1, count: size))) }
            try await upload.finish()
            #expect(try await upload.answer().bytes == 4950)
        }
    }

    @Test("both sides stream at once")
    func bidirectional() async throws {
        try await TestServer().run { server in
            let client = try await server.connect()
            let call = try await client.open(Reflection.ServerReflectionRPC.serverReflectionInfo)
            async let seen = call.answers.reduce(into: [String]()) { $0.append($1.validHost) }
            for i in 0..<500 { try await call.send(Reflection.ServerReflectionRequest(host: String(i))) }
            try await call.finish()
            #expect(try await seen == (0..<500).map(String.init))
        }
    }

    @Test("a method's error comes with its code, message and reason")
    func errors() async throws {
        let thrown = WireError(.notFound, "no model is called 'x'", reason: "not_found")
        let server = try await TestServer([
            V1.ModelRPC.info.handle { _, _ in throw thrown },
            V1.ModelRPC.pull.handle { (_: V1.PullModelRequest, answers, _) in
                try await answers.send(V1.PullModelEvent(event: .verifying("a")))
                throw thrown
            },
            V1.ModelRPC.list.handle { _, _ in throw SystemError("open") },
            V1.ModelRPC.hooks.handle { _, _ in throw WireError(.ok, "no error") },
        ])
        try await server.run { server in
            let client = try await server.connect()
            #expect(
                await #expect(throws: WireError.self) { try await client.call(V1.ModelRPC.info, V1.ModelRef()) }
                    == thrown)
            var answers = try await client.stream(V1.ModelRPC.pull, V1.PullModelRequest()).makeAsyncIterator()
            #expect(try await answers.next() == V1.PullModelEvent(event: .verifying("a")))
            #expect(await #expect(throws: WireError.self) { try await answers.next() } == thrown)
            let other = await #expect(throws: WireError.self) {
                try await client.call(V1.ModelRPC.list, V1.ListModelsRequest())
            }
            #expect(other?.code == .unknown)
            let strange = await #expect(throws: WireError.self) {
                try await client.call(V1.ModelRPC.hooks, V1.HooksRequest())
            }
            #expect(strange?.code == .unknown)
        }
    }

    @Test("an answer that no frame can hold is an error, and the connection lives")
    func largeAnswer() async throws {
        let server = try await TestServer([
            V1.ModelRPC.info.handle { _, _ in V1.ModelInfo(name: String(repeating: "x", count: 4 << 20)) },
            V1.ModelRPC.list.handle { _, _ in V1.ModelList() },
        ])
        try await server.run { server in
            let client = try await server.connect()
            let error = await #expect(throws: WireError.self) { try await client.call(V1.ModelRPC.info, V1.ModelRef()) }
            #expect(error?.code == .resourceExhausted)
            let request = V1.ModelRef(name: String(repeating: "x", count: 4 << 20))
            let ours = await #expect(throws: WireError.self) { try await client.call(V1.ModelRPC.info, request) }
            #expect(ours?.code == .resourceExhausted)
            #expect(try await client.call(V1.ModelRPC.list, V1.ListModelsRequest()) == V1.ModelList())
        }
    }

    @Test("metadata and the peer arrive")
    func context() async throws {
        let seen = Mutex<(metadata: [String], uid: UInt32)>(([], .max))
        let server = try await TestServer([
            V1.ModelRPC.info.handle { _, context in
                seen.withLock { $0 = (context.metadata.map { $0.key + "=" + $0.value }, context.peer.uid) }
                return V1.ModelInfo()
            }
        ])
        try await server.run { server in
            let client = try await server.connect()
            _ = try await client.call(
                V1.ModelRPC.info, V1.ModelRef(), metadata: [("k", "v"), ("k", "w"), ("empty", "")])
            #expect(seen.withLock { $0.metadata } == ["k=v", "k=w", "empty="])
            #expect(seen.withLock { $0.uid } == UInt32(SystemUser.id))
        }
    }

    @Test("1,000 calls from 32 tasks on one connection are each answered with their own")
    func manyCalls() async throws {
        try await TestServer().run { server in
            let client = try await server.connect()
            let wrong = try await withThrowingTaskGroup(of: Int.self) { group in
                for task in 0..<32 {
                    group.addTask {
                        var wrong = 0
                        for i in stride(from: task, to: 1000, by: 32) {
                            let answer = try await client.call(V1.ModelRPC.info, V1.ModelRef(name: "\(i)"))
                            if answer.name != "\(i)" { wrong += 1 }
                        }
                        return wrong
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(wrong == 0)
            try await eventually { server.server.calls.isEmpty }
        }
    }

    @Test("where the connection is lost, every open call fails, and so do new ones")
    func lostConnection() async throws {
        let server = try await HandWrittenServer()
        async let accepted = server.connection()
        let client = try await WireClient.connect(to: server.path)
        let connection = try await accepted
        let upload = try await client.open(V1.AudioRPC.upload)
        let stream = try await client.stream(V1.ModelRPC.pull, V1.PullModelRequest())
        let unary = Task { try await client.call(V1.ModelRPC.info, V1.ModelRef()) }
        // All three are on the wire.
        for _ in 0..<3 { _ = try await connection.frame() }
        connection.cut()
        await #expect(throws: WireError.connectionLost) { try await unary.value }
        await #expect(throws: WireError.connectionLost) { try await upload.answer() }
        await #expect(throws: WireError.connectionLost) { for try await _ in stream {} }
        await #expect(throws: WireError.connectionLost) { try await client.call(V1.ModelRPC.info, V1.ModelRef()) }
        await #expect(throws: WireError.connectionLost) { try await upload.send(V1.UploadChunk()) }
        #expect(!client.isOpen)
    }

    @Test("nobody at the path is UNAVAILABLE, and names the path")
    func nobody() async throws {
        let error = await #expect(throws: WireError.self) { try await WireClient.connect(to: "/nonexistent/s") }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("/nonexistent/s") == true)
    }

    @Test("a client that nobody holds closes its connection")
    func droppedClient() async throws {
        try await TestServer().run { server in
            var client: WireClient? = try await server.connect()
            #expect(try await client?.call(V1.ModelRPC.info, V1.ModelRef(name: "x")).name == "x")
            #expect(server.server.connectionCount == 1)
            client = nil
            try await eventually { server.server.connectionCount == 0 }
        }
    }

    @Test("a server's nonsense fails the call and not the connection")
    func nonsense() async throws {
        let server = try await HandWrittenServer()
        async let accepted = server.connection()
        let client = try await WireClient.connect(to: server.path)
        let connection = try await accepted
        let first = Task { try await client.call(V1.ModelRPC.info, V1.ModelRef()) }
        _ = try await connection.frame()
        // Answers to calls that are not open, and an unknown type, are passed over.
        try await connection.send(
            .data(99, [1]), RawFrame(stream: 1, kind: 9), RawFrame(stream: 1, kind: 2, data: [0x0A, 0x7F]))
        #expect(await #expect(throws: WireError.self) { try await first.value }?.code == .invalidArgument)
        let second = Task { try await client.call(V1.ModelRPC.info, V1.ModelRef()) }
        _ = try await connection.frame()
        try await connection.send(RawFrame.header(length: 5 << 20, stream: 3, kind: 2))
        #expect(await #expect(throws: WireError.self) { try await second.value }?.code == .resourceExhausted)
        try await connection.send([UInt8](repeating: 0, count: 5 << 20))
        async let third = client.call(V1.ModelRPC.info, V1.ModelRef())
        _ = try await connection.frame()
        try await connection.send(RawFrame(stream: 5, kind: 2))
        #expect(try await third == V1.ModelInfo())
        await client.close()
    }
}
