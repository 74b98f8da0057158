import Reflection
import StrictJSON
import Testing

@Suite("Messages of JSON-RPC and their frames") struct LSPFramingTests {
    private func bodies(_ text: String) throws -> [String] {
        var reader = LSPFraming.Reader()
        return try reader.append(text.utf8).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("a frame is its header, an empty line and the body") func frame() {
        #expect(LSPFraming.frame("{}".utf8) == Array("Content-Length: 2\r\n\r\n{}".utf8))
    }

    @Test("frames are read in pieces of any size", arguments: [1, 2, 3, 7, 50, 1000]) func pieces(size: Int) throws {
        let sent = ["{}", "", "{\"a\": \"h\u{F6}r\"}", "\r\n\r\n", String(repeating: "x", count: 300)]
        let bytes = sent.flatMap { LSPFraming.frame($0.utf8) }
        var reader = LSPFraming.Reader()
        var read: [String] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            let piece = bytes[start..<min(bytes.count, start + size)]
            read += try reader.append(piece).map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(read == sent)
        #expect(reader.isBetweenMessages)
    }

    @Test(
        "other headers, any case and blanks are taken",
        arguments: [
            "content-length: 2\r\n\r\n{}", "CONTENT-LENGTH:2\r\n\r\n{}", "Content-Length: \t2 \r\n\r\n{}",
            "Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: 2\r\nX: y: z\r\n\r\n{}",
            "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
        ])
    func tolerance(text: String) throws { #expect(try bodies(text) == ["{}"]) }

    @Test(
        "a header that makes no sense is refused, then and ever after",
        arguments: [
            ("{\"jsonrpc\": \"2.0\"}\r\n\r\n", "without the header Content-Length"),
            ("GET / HTTP/1.1\r\n\r\n", "expected a header 'Name: value', found 'GET / HTTP/1.1'"),
            ("\r\n\r\n", "without the header"), ("X: y\r\n\r\n", "without the header"),
            ("Content-Length: \r\n\r\n", "expected a number as Content-Length, found ''"),
            ("Content-Length: -1\r\n\r\n", "found '-1'"), ("Content-Length: 2x\r\n\r\n", "found '2x'"),
            ("Content-Length: \u{663}\r\n\r\n", "expected a number"),
            ("Content-Length: 16777217\r\n\r\n", "a Content-Length of 16777217; at most 16777216 is read"),
            ("Content-Length: 99999999999999999999999\r\n\r\n", "at most 16777216"),
            ("Content-Length: 2\r\nContent-Length: 3\r\n\r\n", "two headers Content-Length that differ"),
            (String(repeating: "x", count: 8192), "no empty line in the first 8192 bytes"),
        ])
    func refusal(text: String, problem: String) throws {
        var reader = LSPFraming.Reader()
        let error = #expect(throws: FramingError.self) { try reader.append(text.utf8) }
        #expect(error?.message.contains(problem) == true, "\(error?.message ?? "")")
        #expect(throws: FramingError.self) { try reader.append(LSPFraming.frame("{}".utf8)) }
    }

    @Test("a body of the largest size is read, and a header of the largest size") func largest() throws {
        let body = [UInt8](repeating: 0x20, count: LSPFraming.maximumBody)
        var reader = LSPFraming.Reader()
        #expect(try reader.append(LSPFraming.frame(body)).first?.count == body.count)
        let end = "\r\nContent-Length: 2\r\n\r\n"
        let header = "X: " + String(repeating: "y", count: LSPFraming.maximumHeader - 3 - end.utf8.count) + end
        #expect(try bodies(header + "{}") == ["{}"])
        #expect(throws: FramingError.self) { try bodies("y" + header + "{}") }
    }

    @Test("a message cut short is none yet") func short() throws {
        var reader = LSPFraming.Reader()
        #expect(try reader.append("Content-Length: 3\r\n\r\n{}".utf8).isEmpty)
        #expect(!reader.isBetweenMessages)
    }

    // MARK: JSON-RPC

    @Test(
        "messages come back as they were written",
        arguments: [
            #"{"jsonrpc":"2.0","id":1,"method":"a","params":{"x":[1]}}"#, #"{"jsonrpc":"2.0","id":"q","method":"a"}"#,
            #"{"jsonrpc":"2.0","method":"a","params":null}"#, #"{"jsonrpc":"2.0","id":1,"result":null}"#,
            #"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"m","data":{"a":1}}}"#,
            #"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"m"}}"#,
        ])
    func messages(text: String) throws {
        #expect(try JSONRPCMessage(parsing: Array(text.utf8)).json.compactText == text)
    }

    @Test(
        "what is no message is refused, with its id where it has one",
        arguments: [
            ("{", -32700, nil), ("[]", -32600, nil), ("[{\"jsonrpc\":\"2.0\",\"method\":\"a\"}]", -32600, nil),
            ("1", -32600, nil),
            ("{}", -32600, nil), (#"{"id":7,"method":"a"}"#, -32600, 7),
            (#"{"jsonrpc":"1.0","id":7,"method":"a"}"#, -32600, 7),
            (#"{"jsonrpc":"2.0","id":7}"#, -32600, 7), (#"{"jsonrpc":"2.0","id":7,"method":5}"#, -32600, 7),
            (#"{"jsonrpc":"2.0","id":1.5,"method":"a"}"#, -32600, nil),
            (#"{"jsonrpc":"2.0","id":null,"method":"a"}"#, -32600, nil),
            (#"{"jsonrpc":"2.0","id":7,"result":1,"error":{}}"#, -32600, 7),
            (#"{"jsonrpc":"2.0","id":7,"error":{}}"#, -32600, 7),
        ] as [(String, Int, Int?)])
    func unreadable(text: String, code: Int, id: Int?) {
        let unreadable = #expect(throws: JSONRPCMessage.Unreadable.self) {
            try JSONRPCMessage(parsing: Array(text.utf8))
        }
        #expect(unreadable?.error.code == code)
        #expect(unreadable?.id == id.map(JSONRPCID.number))
    }
}
