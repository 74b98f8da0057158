import Reflection
import StrictJSON
import Testing

@Suite("What the bridge does") struct BridgeStateTests {
    private var state: BridgeState
    private let codec: MessageCodec

    init() throws {
        codec = try ReflectionFixtures.codec()
        state = BridgeState(codec, serverInfo: ["name": "auscult", "version": "1"])
    }

    private mutating func receive(_ members: String) -> [String] {
        state.receive(Array("{\"jsonrpc\":\"2.0\",\(members)}".utf8)).map(\.line)
    }

    private mutating func server(_ json: String, _ type: String, on call: Int = 1) throws -> [String] {
        state.received(try codec.encode(json, as: type), on: call).map(\.line)
    }

    @Test("a unary call's answer is the result") mutating func unary() throws {
        #expect(
            receive(#""id":1,"method":"auscult.v1.Model/Info","params":{"name":"x"}"#)
                == ["start 1 auscult.v1.Model/Info 0a0178"])
        #expect(try server(#"{"sha256":"ab"}"#, "ModelInfo").isEmpty)
        #expect(state.ended(1, nil).map(\.line) == [#"{"id":1,"result":{"sha256":"ab"}}"#])
        #expect(state.openCalls.isEmpty)
    }

    @Test("params may be left out, and short names do", arguments: ["", #","params":null"#, #","params":{}"#])
    mutating func noParams(params: String) {
        #expect(receive(#""id":"a","method":"Model/List""# + params) == ["start 1 auscult.v1.Model/List "])
    }

    @Test("a server's stream is notifications, and a count at the end") mutating func serverStream() throws {
        #expect(
            receive(#""id":"s","method":"Trace/Run","params":{"hooks":["a"]}"#) == [
                "start 1 auscult.v1.Trace/Run 1a0161"
            ])
        #expect(
            try server(#"{"started":{"subscriptionId":"q"}}"#, "TraceEvent")
                == [#"{"method":"$/stream","params":{"id":"s","message":{"started":{"subscriptionId":"q"}}}}"#])
        #expect(try server("{}", "TraceEvent") == [#"{"method":"$/stream","params":{"id":"s","message":{}}}"#])
        #expect(state.ended(1, nil).map(\.line) == [#"{"id":"s","result":{"messages":2}}"#])
        #expect(try server("{}", "TraceEvent").isEmpty)
        #expect(state.ended(1, nil).isEmpty)
    }

    @Test("a client's stream is $/send and $/close, and the answer is the result") mutating func clientStream() throws {
        #expect(
            receive(#""id":1,"method":"Audio/Upload","params":{"data":"AQ=="}"#)
                == ["start 1 auscult.v1.Audio/Upload nil", "send 1 120101"])
        #expect(receive(#""method":"$/send","params":{"id":1,"message":{"data":"Ag=="}}"#) == ["send 1 120102"])
        #expect(
            receive(#""id":2,"method":"$/send","params":{"id":1,"message":{"data":"Aw=="}}"#)
                == ["send 1 120103", #"{"id":2,"result":null}"#])
        #expect(receive(#""method":"$/close","params":{"id":1}"#) == ["close 1"])
        #expect(receive(#""method":"$/close","params":{"id":1}"#).isEmpty)
        #expect(try server(#"{"uploadId":"u"}"#, "UploadedAudio").isEmpty)
        #expect(state.ended(1, nil).map(\.line) == [#"{"id":1,"result":{"uploadId":"u"}}"#])
    }

    @Test("both sides may stream, and a first message may be left out") mutating func bothStream() throws {
        #expect(receive(#""id":1,"method":"Live/Listen""#) == ["start 1 auscult.v1.Live/Listen nil"])
        #expect(
            receive(#""method":"$/send","params":{"id":1,"message":{"open":{}}}"#) == ["send 1 0a00"])
        #expect(
            try server(#"{"seq":"1"}"#, "LiveEvent") == [
                #"{"method":"$/stream","params":{"id":1,"message":{"seq":"1"}}}"#
            ])
        #expect(receive(#""id":9,"method":"$/close","params":{"id":1}"#) == ["close 1", #"{"id":9,"result":null}"#])
        #expect(state.ended(1, nil).map(\.line) == [#"{"id":1,"result":{"messages":1}}"#])
    }

    @Test("calls of several ids do not mix") mutating func several() throws {
        _ = receive(#""id":1,"method":"Trace/Run""#)
        _ = receive(#""id":"1","method":"Trace/Run""#)
        #expect(state.openCalls == [1, 2])
        #expect(try server("{}", "TraceEvent", on: 2) == [#"{"method":"$/stream","params":{"id":"1","message":{}}}"#])
        #expect(state.ended(1, nil).map(\.line) == [#"{"id":1,"result":{"messages":0}}"#])
        #expect(state.ended(2, nil).map(\.line) == [#"{"id":"1","result":{"messages":1}}"#])
    }

    @Test("a cancelled request is answered at once, and its id may be used again") mutating func cancel() throws {
        _ = receive(#""id":1,"method":"Trace/Run""#)
        #expect(
            receive(#""method":"$/cancelRequest","params":{"id":1}"#) == [
                "cancel 1",
                #"{"id":1,"error":{"code":-32800,"message":"the request was cancelled","data":{"code":"CANCELLED"}}}"#,
            ])
        #expect(receive(#""id":1,"method":"Trace/Run""#) == ["start 2 auscult.v1.Trace/Run "])
        #expect(try server("{}", "TraceEvent", on: 1).isEmpty)
        #expect(state.ended(1, CallFailure(code: 1, message: "late")).isEmpty)
        #expect(state.openCalls == [2])
        #expect(receive(#""method":"$/cancelRequest","params":{"id":77}"#).isEmpty)
        #expect(receive(#""method":"$/cancelRequest","params":5"#).isEmpty)
    }

    @Test("an error of the server has its code's name and its reason") mutating func failure() {
        _ = receive(#""id":1,"method":"Model/Info""#)
        let failure = CallFailure(code: 5, message: "no model 'x'", reason: "not_found")
        #expect(
            state.ended(1, failure).map(\.line) == [
                #"{"id":1,"error":{"code":-32055,"message":"no model 'x'","#
                    + #""data":{"code":"NOT_FOUND","reason":"not_found"}}}"#
            ])
        _ = receive(#""id":2,"method":"Model/Info""#)
        #expect(
            state.ended(2, CallFailure(code: 4711, message: "odd")).map(\.line)
                == [#"{"id":2,"error":{"code":-32052,"message":"odd","data":{"code":"UNKNOWN"}}}"#])
    }

    @Test("an answer that is no message, and none at all, are errors") mutating func badAnswers() {
        _ = receive(#""id":1,"method":"Model/List""#)
        let lines = state.received([0xFF], on: 1).map(\.line)
        #expect(lines.count == 2 && lines[0] == "cancel 1")
        #expect(
            lines.last?.contains(#""code":-32065,"message":"auscult.v1.Model/List: auscult.v1.ModelList: "#) == true)
        _ = receive(#""id":2,"method":"Model/List""#)
        #expect(
            state.ended(2, nil).map(\.line) == [
                #"{"id":2,"error":{"code":-32063,"message":"auscult.v1.Model/List ended without an answer","#
                    + #""data":{"code":"INTERNAL"}}}"#
            ])
    }

    @Test(
        "requests that cannot be are answered with the right code",
        arguments: [
            (
                #""id":1,"method":"Model/Lst""#, -32601,
                "the server has no method 'Model/Lst'; did you mean auscult.v1.Model/List"
            ),
            (#""id":1,"method":"textDocument/hover""#, -32601, "the server has no method 'textDocument/hover'"),
            (#""id":1,"method":"$/other""#, -32601, "the server has no method '$/other'"),
            (
                #""id":1,"method":"Trace/Run","params":{"audio":{"span":{"strat":1}}}"#, -32602,
                "audio.span.strat: auscult.v1.Span has no such field; did you mean start?"
            ),
            (
                #""id":1,"method":"Trace/Run","params":[]"#, -32602,
                "expected an object for auscult.v1.TraceRequest, found a list"
            ),
            (
                #""id":1,"method":"$/send","params":{"id":5,"message":{}}"#, -32602,
                "$/send: expected the id of an open call"
            ),
            (#""id":1,"method":"$/close""#, -32602, "$/close: expected the id of an open call"),
            (#""id":1"#, -32600, "expected a method"),
        ])
    mutating func refusal(members: String, code: Int, message: String) {
        let lines = receive(members)
        #expect(lines.count == 1)
        #expect(lines.first?.hasPrefix("{\"id\":1,\"error\":{\"code\":\(code),") == true, "\(lines)")
        #expect(lines.first?.contains(message) == true, "\(lines)")
        #expect(state.openCalls.isEmpty)
    }

    @Test("text that is not JSON is answered without an id") mutating func notJSON() {
        let lines = state.receive(Array("{".utf8)).map(\.line)
        #expect(lines.first?.hasPrefix(#"{"id":null,"error":{"code":-32700,"#) == true)
    }

    @Test("an id that is in use is refused, and its call goes on") mutating func duplicate() {
        _ = receive(#""id":1,"method":"Trace/Run""#)
        #expect(
            receive(#""id":1,"method":"Model/List""#).first?.contains("the id 1 is that of a call that still runs")
                == true)
        #expect(state.ended(1, nil).map(\.line) == [#"{"id":1,"result":{"messages":0}}"#])
    }

    @Test("a bad message in $/send ends the call where nobody else can be told") mutating func badSend() {
        _ = receive(#""id":1,"method":"Live/Listen""#)
        let told = receive(#""id":2,"method":"$/send","params":{"id":1,"message":{"opn":{}}}"#)
        #expect(told.count == 1)
        #expect(told.first?.contains(#""id":2,"error":{"code":-32602,"message":"opn: "#) == true)
        #expect(state.openCalls == [1])
        let untold = receive(#""method":"$/send","params":{"id":1,"message":{"opn":{}}}"#)
        #expect(untold.count == 2 && untold[0] == "cancel 1")
        #expect(untold.last?.contains(#""id":1,"error":{"code":-32602,"message":"opn: "#) == true)
        #expect(state.openCalls.isEmpty)
        #expect(receive(#""method":"$/send","params":{"id":1,"message":{}}"#).isEmpty)
    }

    @Test("nothing can be sent where the client does not stream, or after $/close") mutating func sendClosed() {
        _ = receive(#""id":1,"method":"Trace/Run""#)
        #expect(
            receive(#""id":2,"method":"$/send","params":{"id":1,"message":{}}"#).first?
                .contains("auscult.v1.Trace/Run takes no further message") == true)
        _ = receive(#""id":3,"method":"Live/Listen""#)
        _ = receive(#""method":"$/close","params":{"id":3}"#)
        #expect(receive(#""id":4,"method":"$/send","params":{"id":3,"message":{}}"#).first?.contains("-32602") == true)
    }

    @Test("initialize says what the server has") mutating func initialize() throws {
        let line = try #require(receive(#""id":0,"method":"initialize","params":{"capabilities":{}}"#).first)
        #expect(
            line.hasPrefix(
                #"{"id":0,"result":{"capabilities":{},"serverInfo":{"name":"auscult","version":"1"},"#
                    + #""services":[{"name":"#
            ))
        #expect(
            line.contains(
                #"{"name":"auscult.v1.Live/Listen","input":"auscult.v1.LiveInput","output":"auscult.v1.LiveEvent","#
                    + #""clientStreaming":true,"serverStreaming":true}"#))
        #expect(receive(#""method":"initialized","params":{}"#).isEmpty)
    }

    @Test("shutdown ends all calls, and only exit is taken after it") mutating func shutdown() {
        _ = receive(#""id":1,"method":"Trace/Run""#)
        let lines = receive(#""id":2,"method":"shutdown""#)
        #expect(lines.count == 3 && lines[0] == "cancel 1" && lines[2] == #"{"id":2,"result":null}"#)
        #expect(lines[1].contains("-32800"))
        #expect(receive(#""id":3,"method":"Model/List""#).first?.contains("-32600") == true)
        #expect(receive(#""method":"exit""#) == ["exit 0"])
    }

    @Test("exit without shutdown, and the end of the input, give calls up and fail") mutating func exit() {
        _ = receive(#""id":1,"method":"Trace/Run""#)
        #expect(receive(#""method":"exit""#) == ["cancel 1", "exit 1"])
        #expect(state.inputEnded().map(\.line) == ["exit 1"])
    }

    @Test("notifications that mean nothing and responses to nothing are passed over") mutating func ignored() {
        #expect(receive(#""method":"$/setTrace","params":{}"#).isEmpty)
        #expect(receive(#""method":"auscult.v1.Model/List""#).isEmpty)
        #expect(receive(#""id":1,"result":{}"#).isEmpty)
    }
}

extension BridgeState.Action {
    /// In one line, without what is the same in all messages.
    var line: String {
        func hex(_ bytes: [UInt8]) -> String {
            bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        switch self {
        case .write(let message): return message.json.compactText.replacing(#""jsonrpc":"2.0","#, with: "")
        case .start(let call, let method, let request):
            return "start \(call) \(method.path) \(request.map(hex) ?? "nil")"
        case .send(let call, let bytes): return "send \(call) \(hex(bytes))"
        case .closeSend(let call): return "close \(call)"
        case .cancel(let call): return "cancel \(call)"
        case .exit(let status): return "exit \(status)"
        }
    }
}
