import Reflection
import Foundation
import Synchronization
import Testing

/// A server of a few methods, in the bytes of their messages.
private struct FakeServer: BridgeTransport {
    let codec: MessageCodec
    let log = Log()

    final class Log: Sendable {
        private let entries = Mutex<[String]>([])
        var all: [String] { entries.withLock { $0 } }
        func add(_ entry: String) { entries.withLock { $0.append(entry) } }
    }

    struct Odd: Error, CustomStringConvertible { let description = "the line went dead" }

    func unary(service: String, method: String, request: [UInt8]) async throws -> [UInt8] {
        switch method {
        case "Check": return try codec.encode(#"{"status":"SERVING"}"#, as: "HealthCheckResponse")
        case "Info": throw CallFailure(code: 5, message: "no such model", reason: "not_found")
        case "List":
            do {
                try await Task.sleep(for: .seconds(3600))
            } catch {
                log.add("list cancelled")
                throw error
            }
            return []
        default: throw Odd()
        }
    }

    func open(service: String, method: String, request: [UInt8]?) async throws -> BridgeStream {
        let (messages, outgoing) = AsyncThrowingStream.makeStream(of: [UInt8].self)
        let (codec, log) = (codec, log)
        if method == "Run" {
            for index in 1...3 {
                outgoing.yield(try codec.encode(#"{"progress":{"done":\#(index)}}"#, as: "TraceEvent"))
            }
            outgoing.finish()
        }
        let received = Mutex(0)
        return BridgeStream(
            send: { bytes in
                let count = received.withLock {
                    $0 += 1; return $0
                }
                log.add("\(method) got \(bytes.count) bytes")
                if method == "Listen" {
                    outgoing.yield(try codec.encode(#"{"seq":\#(count)}"#, as: "LiveEvent"))
                }
                if method == "Watch" { try await Task.sleep(for: .seconds(3600)) }
            },
            closeSend: {
                if method == "Upload" {
                    outgoing.yield(
                        try codec.encode(#"{"bytes":\#(received.withLock { $0 })}"#, as: "UploadedAudio"))
                }
                outgoing.finish()
            },
            messages: messages,
            cancel: {
                log.add("\(method) cancelled")
                outgoing.finish(throwing: CallFailure(code: 1, message: "cancelled"))
            })
    }
}

/// An editor that has the bridge in this process.
private struct Editor: Sendable {
    let server: FakeServer
    private let input: AsyncStream<[UInt8]>.Continuation
    private let output: AsyncStream<[UInt8]>
    private let bridge: Task<Int32, any Error>

    init() throws {
        let codec = try ReflectionFixtures.codec()
        let server = FakeServer(codec: codec)
        let (bytes, input) = AsyncStream.makeStream(of: [UInt8].self)
        let (output, written) = AsyncStream.makeStream(of: [UInt8].self)
        let bridge = Bridge(codec, serverInfo: ["name": "test"], transport: server) { written.yield($0) }
        self.server = server
        self.input = input
        self.output = output
        self.bridge = Task {
            defer { written.finish() }
            return try await bridge.run(bytes)
        }
    }

    func send(_ members: String) { input.yield(LSPFraming.frame("{\"jsonrpc\":\"2.0\",\(members)}".utf8)) }
    func sendRaw(_ text: String) { input.yield(Array(text.utf8)) }
    func close() { input.finish() }
    func status() async throws -> Int32 { try await bridge.value }

    /// The next messages, without what is the same in all of them.
    func next(_ count: Int) async throws -> [String] {
        var messages: [String] = []
        for await frame in output {
            var reader = LSPFraming.Reader()
            for body in try reader.append(frame) {
                messages.append(String(decoding: body, as: UTF8.self).replacing(#""jsonrpc":"2.0","#, with: ""))
            }
            if messages.count == count { break }
        }
        return messages
    }
}

@Suite("The bridge over a transport", .timeLimit(.minutes(2))) struct BridgeTests {
    private let editor: Editor
    init() throws { editor = try Editor() }

    @Test("a unary call is answered, and an error of the server arrives") func unary() async throws {
        editor.send(#""id":1,"method":"Health/Check""#)
        #expect(try await editor.next(1) == [#"{"id":1,"result":{"status":"SERVING"}}"#])
        editor.send(#""id":2,"method":"Model/Info""#)
        #expect(
            try await editor.next(1) == [
                #"{"id":2,"error":{"code":-32055,"message":"no such model","#
                    + #""data":{"code":"NOT_FOUND","reason":"not_found"}}}"#
            ])
        editor.send(#""id":3,"method":"Model/Tokenize""#)
        #expect(
            try await editor.next(1)
                == [#"{"id":3,"error":{"code":-32052,"message":"the line went dead","data":{"code":"UNKNOWN"}}}"#])
        editor.send(#""id":4,"method":"shutdown""#)
        editor.send(#""method":"exit""#)
        #expect(try await editor.status() == 0)
    }

    @Test("a stream arrives in order, and its end last") func serverStream() async throws {
        editor.send(#""id":"a","method":"Trace/Run","params":{}"#)
        #expect(
            try await editor.next(4) == [
                #"{"method":"$/stream","params":{"id":"a","message":{"progress":{"done":1.0}}}}"#,
                #"{"method":"$/stream","params":{"id":"a","message":{"progress":{"done":2.0}}}}"#,
                #"{"method":"$/stream","params":{"id":"a","message":{"progress":{"done":3.0}}}}"#,
                #"{"id":"a","result":{"messages":3}}"#,
            ])
    }

    @Test("messages of a client's stream arrive in order, and then its end") func clientStream() async throws {
        editor.send(#""id":1,"method":"Audio/Upload","params":{"data":"AA=="}"#)
        editor.send(#""method":"$/send","params":{"id":1,"message":{"data":"AAA="}}"#)
        editor.send(#""method":"$/send","params":{"id":1,"message":{"data":"AAAA"}}"#)
        editor.send(#""method":"$/close","params":{"id":1}"#)
        #expect(try await editor.next(1) == [#"{"id":1,"result":{"bytes":"3"}}"#])
        #expect(editor.server.log.all == ["Upload got 3 bytes", "Upload got 4 bytes", "Upload got 5 bytes"])
    }

    @Test("both sides stream at once") func bothStream() async throws {
        editor.send(#""id":1,"method":"Live/Listen","params":{"open":{}}"#)
        #expect(try await editor.next(1) == [#"{"method":"$/stream","params":{"id":1,"message":{"seq":"1"}}}"#])
        editor.send(#""method":"$/send","params":{"id":1,"message":{"pcmS16le":"AAA="}}"#)
        #expect(try await editor.next(1) == [#"{"method":"$/stream","params":{"id":1,"message":{"seq":"2"}}}"#])
        editor.send(#""method":"$/close","params":{"id":1}"#)
        #expect(try await editor.next(1) == [#"{"id":1,"result":{"messages":2}}"#])
    }

    @Test("a cancelled request is answered, and the server hears of it") func cancel() async throws {
        editor.send(#""id":1,"method":"Live/Listen","params":{"open":{}}"#)
        editor.send(#""id":2,"method":"Model/List""#)
        _ = try await editor.next(1)
        editor.send(#""method":"$/cancelRequest","params":{"id":1}"#)
        editor.send(#""method":"$/cancelRequest","params":{"id":2}"#)
        #expect(try await editor.next(2).allSatisfy { $0.contains(#""error":{"code":-32800"#) })
        while Set(editor.server.log.all).isDisjoint(with: ["Listen cancelled"])
            || Set(editor.server.log.all).isDisjoint(with: ["list cancelled"])
        {
            try await Task.sleep(for: .milliseconds(5))
        }
        editor.send(#""id":3,"method":"Health/Check""#)
        #expect(try await editor.next(1) == [#"{"id":3,"result":{"status":"SERVING"}}"#])
    }

    @Test("the end of the input gives the calls up and fails without shutdown") func end() async throws {
        editor.send(#""id":1,"method":"Live/Listen","params":{"open":{}}"#)
        _ = try await editor.next(1)
        editor.close()
        #expect(try await editor.status() == 1)
        while !editor.server.log.all.contains("Listen cancelled") { try await Task.sleep(for: .milliseconds(5)) }
    }

    @Test("bytes that are not framed are answered once and end the bridge") func notFramed() async throws {
        editor.sendRaw("{\"jsonrpc\": \"2.0\"}\r\n\r\n")
        #expect(try await editor.next(1).first?.hasPrefix(#"{"id":null,"error":{"code":-32700,"#) == true)
        await #expect(throws: FramingError.self) { try await editor.status() }
    }

    @Test("a server that takes nothing bounds what waits for it") func slowServer() async throws {
        let codec = try ReflectionFixtures.codec()
        struct Stuck: BridgeTransport {
            func unary(service: String, method: String, request: [UInt8]) async throws -> [UInt8] { [] }
            func open(service: String, method: String, request: [UInt8]?) async throws -> BridgeStream {
                let (messages, outgoing) = AsyncThrowingStream.makeStream(of: [UInt8].self)
                return BridgeStream(
                    send: { _ in try await Task.sleep(for: .seconds(3600)) }, closeSend: {}, messages: messages,
                    cancel: { outgoing.finish() })
            }
        }
        let (bytes, input) = AsyncStream.makeStream(of: [UInt8].self)
        let (output, written) = AsyncStream.makeStream(of: [UInt8].self)
        let bridge = Bridge(codec, serverInfo: .null, transport: Stuck()) { written.yield($0) }
        input.yield(LSPFraming.frame(#"{"jsonrpc":"2.0","id":1,"method":"Audio/Upload"}"#.utf8))
        let data = Data(count: 6 << 20).base64EncodedString()
        for _ in 0..<3 {
            let text = #"{"jsonrpc":"2.0","method":"$/send","params":{"id":1,"message":{"data":"\#(data)"}}}"#
            input.yield(LSPFraming.frame(text.utf8))
        }
        input.finish()
        #expect(try await bridge.run(bytes) == 1)
        written.finish()
        var answers: [String] = []
        for await frame in output { answers.append(String(decoding: frame, as: UTF8.self)) }
        #expect(answers.count == 1)
        #expect(answers.first?.contains(#""code":"RESOURCE_EXHAUSTED""#) == true)
    }

    @Test("an editor that cannot be written to ends the bridge") func deadEditor() async throws {
        let codec = try ReflectionFixtures.codec()
        let (bytes, input) = AsyncStream.makeStream(of: [UInt8].self)
        struct Gone: Error {}
        let bridge = Bridge(codec, serverInfo: .null, transport: FakeServer(codec: codec)) { _ in throw Gone() }
        input.yield(LSPFraming.frame(#"{"jsonrpc":"2.0","id":1,"method":"initialize"}"#.utf8))
        #expect(try await bridge.run(bytes) == 1)
    }
}
