import Foundation
import Reflection
import StrictJSON
import TestSupport
import Testing

@Suite("auscult call and auscult bridge") struct CallCommandTests {
    let data: TemporaryFolder
    init() throws { data = try TemporaryFolder() }

    @Test("services are listed, and services, methods and messages described with their comments")
    func describe() async throws {
        let list = try await auscult("call", data: data)
        let services = list.output.split(separator: "\n").map(String.init)
        for service in ["auscult.v1.Model", "auscult.v1.Trace", "grpc.health.v1.Health"] {
            #expect(services.contains(service))
        }
        let service = try await auscult("call", "auscult.v1.Model", data: data).output
        #expect(service.contains("rpc Pull(PullModelRequest) returns (stream PullModelEvent);"))
        #expect(service.contains("// Text to tokens."))
        #expect(try await auscult("call", "Model/Hooks", data: data).output.contains("message HookList {"))
        #expect(try await auscult("call", "AudioSource", data: data).output.contains("oneof source {"))
    }

    @Test("a method is called with JSON and answers in JSON")
    func unary() async throws {
        let result = try await auscult(
            "call", "Model/Hooks", #"{"pattern": "encoder.ln_post"}"#, "--compact", data: data)
        #expect(result.status == 0, "\(result.error)")
        let answer = try JSON(parsing: result.output)
        guard case .array(let hooks)? = answer["hooks"], case .string(let name)? = hooks.first?["name"] else {
            Issue.record("\(result.output)")
            return
        }
        #expect(name == "encoder.ln_post")
        #expect(result.output.contains("positionsPerSecond"))
        let plain = try await auscult(
            "call", "Model/Hooks", #"{"pattern": "encoder.ln_post"}"#, "--proto-names", "--defaults", data: data)
        #expect(plain.output.contains("\"positions_per_second\": 50"))
    }

    @Test("answers of a stream come one after another, as many as are wanted")
    func streaming() async throws {
        let request = #"{"audio": {"clip": "en-slt-01"}, "options": {"temperatures": [0]}}"#
        let all = try await auscult("call", "Transcribe/Stream", request, "--compact", data: data)
        let lines = all.output.split(separator: "\n")
        #expect(lines.first?.hasPrefix("{\"started\"") == true)
        #expect(lines.last?.hasPrefix("{\"done\"") == true)
        let some = try await auscult(
            "call", "Transcribe/Stream", request, "--compact", "--max-messages", "1", data: data)
        #expect(some.status == 0)
        #expect(some.output.split(separator: "\n").count == 1)
    }

    @Test("what a client streams is a list, or a message a line of a file")
    func clientStreaming() async throws {
        let messages = [#"{"data": "AAAA"}"#, #"{"data": "AAAAAAAA"}"#]
        let list = try await auscult(
            "call", "Audio/Upload", "[\(messages.joined(separator: ","))]", "--compact", data: data)
        #expect(list.output.contains("\"bytes\":\"9\""))
        try data.write(Array((messages.joined(separator: "\n") + "\n").utf8), to: "m.jsonl")
        let file = try await auscult("call", "Audio/Upload", "@" + data("m.jsonl"), "--compact", data: data)
        #expect(file.output.contains("\"bytes\":\"9\""))
    }

    @Test(
        "what makes no sense is refused in a sentence",
        arguments: [
            (["Model/Hooks", "{"], Int32(64), "not valid JSON"), (["Model/Hooks", #"{"patern": "x"}"#], 64, "pattern"),
            (["Model/Hoks", "{}"], 66, "Hooks"), (["Nothing"], 66, "Nothing"),
            (["Model/Hooks", #"{"pattern": "nowhere"}"#], 64, "INVALID_ARGUMENT"),
            (["Audio/Upload", #"[{"data": "AAAA"}, {"dat": "AAAA"}]"#], 64, "dat"),
            (["Audio/Upload", "@/no/such/file"], 66, "/no/such/file"),
            (["Model/List", "{}", "--timeout", "0"], 64, "0"),
            (["grpc.health.v1.Health/Watch", "{}", "--timeout", "0.2"], 75, "0.2"),
        ])
    func refused(arguments: [String], status: Int32, words: String) async throws {
        let result = try await auscult(arguments: ["call"] + arguments, data: data)
        #expect(result.status == status, "\(result.error)")
        #expect(result.error.contains(words), "\(result.error)")
    }

    // MARK: - The bridge

    private func framed(_ messages: [String]) -> Data {
        Data(messages.flatMap { LSPFraming.frame(Array($0.utf8)) })
    }

    private func messages(_ output: String) throws -> [JSON] {
        var reader = LSPFraming.Reader()
        return try reader.append(output.utf8).map { try JSON(parsing: $0) }
    }

    @Test("an editor speaks JSON-RPC over standard input and output")
    func bridge() throws {
        let input = Pipe()
        let child = try Child(["bridge", "--stdio"], data: data, input: input)
        input.fileHandleForWriting.write(
            framed([
                #"{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}}"#,
                #"{"jsonrpc": "2.0", "id": 2, "method": "auscult.v1.Model/Hooks", "params": {"pattern": "nowhere"}}"#,
                #"{"jsonrpc": "2.0", "id": 3, "method": "auscult.v1.Model/Hooks", "params": {"pattern": "log_mel"}}"#,
                #"{"jsonrpc": "2.0", "id": 4, "method": "auscult.v1.Model/Hooks", "params": {"pattern": "encoder.ln_post"}}"#,
            ]))
        // The end of its input ends calls that run, so it comes after the answers.
        var seen = ""
        let output = child.outputReader
        while seen.components(separatedBy: "\"id\":").count < 5 {
            let part = output.availableData
            if part.isEmpty { break }
            seen += String(decoding: part, as: UTF8.self)
        }
        input.fileHandleForWriting.write(
            framed([#"{"jsonrpc": "2.0", "id": 5, "method": "shutdown"}"#, #"{"jsonrpc": "2.0", "method": "exit"}"#]))
        try input.fileHandleForWriting.close()
        let rest = child.result()
        #expect(rest.status == 0, "\(rest.error)")
        let answers = try messages(seen + rest.output)
        func answer(_ id: Int) -> JSON? {
            answers.first { if case .integer(id)? = $0["id"] { true } else { false } }
        }
        #expect(answer(1)?["result"]?["serverInfo"] != nil)
        guard case .string("INVALID_ARGUMENT")? = answer(2)?["error"]?["data"]?["code"] else {
            Issue.record("\(answer(2)?.text ?? "nothing")")
            return
        }
        #expect(answer(4)?["result"]?["hooks"] != nil)
        #expect(answer(5) != nil)
    }

    @Test("several editors can be served on a socket, which goes with the command")
    func listening() throws {
        let path = data.side + "/bridge.sock"
        let child = try Child(["bridge", "--listen", path], data: data)
        let frame = framed([#"{"jsonrpc": "2.0", "id": 1, "method": "initialize"}"#])
        for _ in 0..<2 {
            var editor = try UnixClient.connect(path)
            while editor == nil, child.process.isRunning {
                usleep(10_000)
                editor = try UnixClient.connect(path)
            }
            let handle = try #require(editor)
            handle.write(frame)
            #expect(String(decoding: handle.availableData, as: UTF8.self).hasPrefix("Content-Length: "))
            try handle.close()
        }
        child.process.interrupt()
        #expect(child.result().status == 130)
        #expect(!FileManager.default.fileExists(atPath: path))
    }
}

/// A plain connection to a Unix socket.
enum UnixClient {
    /// - Returns: nil where nobody listens.
    static func connect(_ path: String) throws -> FileHandle? {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        try #require(path.utf8.count < MemoryLayout.size(ofValue: address.sun_path))
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Foundation.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        guard connected else {
            close(descriptor)
            return nil
        }
        return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }
}
