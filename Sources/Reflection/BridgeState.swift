import Client
import StrictJSON

/// What the bridge does, without doing it: messages of an editor and of the server go in, ``Action``s come out.
///
/// JSON-RPC becomes calls like this:
///   * A request whose method is one of the server's, `auscult.v1.Model/List`, is a call; its params are the request
///     message. Where the client streams, params are the first message, and may be left out.
///   * Where the server answers one message, that is the result.
///   * Where it streams, every message is a notification `$/stream` {"id": the request's, "message": …}, and the result
///     at the end is {"messages": how many there were}.
///   * `$/send` {"id", "message"} sends a further message where the client streams, `$/close` {"id"} ends its side.
///     Both are notifications; as requests they are answered with null. An unreadable message in a notification, which
///     nobody could be told of, ends its call.
///   * `$/cancelRequest` {"id"} ends a call, whose answer is then the error -32800.
///   * `initialize` is answered with what the server has, and need not come first. `shutdown` ends all calls; after it
///     only `exit` is taken.
///
/// An error of the server has the code -32050 - gRPC's, clear of those that the Language Server Protocol keeps for
/// itself, and in its data the code's name and the server's reason: {"code": "NOT_FOUND", "reason": "not_found"}.
package struct BridgeState: Sendable {
    /// A call for as long as the bridge lives; ids of requests may come again.
    package typealias Call = Int

    package enum Action: Sendable {
        /// To the editor.
        case write(JSONRPCMessage)
        /// To the server. `request` is nil where the client streams.
        case start(Call, MethodDescriptor, request: [UInt8]?)
        case send(Call, [UInt8])
        case closeSend(Call)
        case cancel(Call)
        /// The program ends with this status.
        case exit(Int32)
    }

    private struct OpenCall {
        let id: JSONRPCID
        let method: MethodDescriptor
        let input: MessageDescriptor
        let output: MessageDescriptor
        var received = 0
        /// Where the server does not stream.
        var result: JSON?
        var isSendClosed: Bool
    }

    private let codec: MessageCodec
    private let serverInfo: JSON
    private var calls: [Call: OpenCall] = [:]
    private var callsByID: [JSONRPCID: Call] = [:]
    private var nextCall: Call = 1
    private var isShutDown = false

    /// - Parameter serverInfo: what `initialize` says about the program: {"name", "version"}.
    package init(_ codec: MessageCodec, serverInfo: JSON) {
        self.codec = codec
        self.serverInfo = serverInfo
    }

    /// Calls that have not ended.
    package var openCalls: [Call] { calls.keys.sorted() }

    // MARK: From the editor

    /// Takes the body of a message.
    package mutating func receive(_ body: [UInt8]) -> [Action] {
        do {
            return receive(try JSONRPCMessage(parsing: body))
        } catch {
            return [.write(.response(id: error.id, .failure(error.error)))]
        }
    }

    package mutating func receive(_ message: JSONRPCMessage) -> [Action] {
        switch message {
        case .request(let id, let method, let params):
            do {
                return try request(id, method, params)
            } catch {
                return [.write(.response(id: id, .failure(error)))]
            }
        case .notification(let method, let params): return notification(method, params)
        // The bridge asks nothing of the editor.
        case .response: return []
        }
    }

    /// The editor is gone: all calls end, and the program with them.
    package mutating func inputEnded() -> [Action] {
        let actions = calls.keys.sorted().map(Action.cancel)
        calls = [:]
        callsByID = [:]
        return actions + [.exit(isShutDown ? 0 : 1)]
    }

    private mutating func request(
        _ id: JSONRPCID, _ method: String, _ params: JSON?
    ) throws(JSONRPCError) -> [Action] {
        guard !isShutDown else { throw JSONRPCError(JSONRPCError.invalidRequest, "\(method) came after shutdown") }
        switch method {
        case "initialize": return [.write(.response(id: id, .success(description)))]
        case "shutdown":
            isShutDown = true
            let ended = calls.keys.sorted().flatMap { cancel($0, "the bridge is shutting down") }
            return ended + [.write(.response(id: id, .success(.null)))]
        case "$/send", "$/close":
            guard let call = call(in: params) else {
                throw JSONRPCError(JSONRPCError.invalidParams, "\(method): expected the id of an open call")
            }
            let actions = try method == "$/send" ? send(params?["message"], on: call) : closeSend(call)
            return actions + [.write(.response(id: id, .success(.null)))]
        default: return try start(id, method, params)
        }
    }

    private mutating func notification(_ method: String, _ params: JSON?) -> [Action] {
        switch method {
        case "exit": return inputEnded()
        case "$/cancelRequest": return call(in: params).map { cancel($0, "the request was cancelled") } ?? []
        case "$/send", "$/close":
            // A call that has just ended is not known any more, which is nobody's mistake.
            guard let call = call(in: params) else { return [] }
            do {
                return try method == "$/send" ? send(params?["message"], on: call) : closeSend(call)
            } catch {
                return [.cancel(call)] + finish(call, .failure(error))
            }
        default: return []
        }
    }

    private func call(in params: JSON?) -> Call? { JSONRPCID(params?["id"]).flatMap { callsByID[$0] } }

    private mutating func start(
        _ id: JSONRPCID, _ name: String, _ params: JSON?
    ) throws(JSONRPCError) -> [Action] {
        guard callsByID[id] == nil else {
            throw JSONRPCError(JSONRPCError.invalidRequest, "the id \(id.json.text) is that of a call that still runs")
        }
        let call: OpenCall
        do {
            let method = try codec.pool.method(name)
            call = OpenCall(
                id: id, method: method, input: try codec.pool.resolvedMessage(method.input),
                output: try codec.pool.resolvedMessage(method.output), isSendClosed: !method.clientStreaming)
        } catch {
            throw JSONRPCError(JSONRPCError.methodNotFound, "\(error)")
        }
        var first: [UInt8]?
        switch params {
        case nil, .null: if !call.method.clientStreaming { first = [] }
        case let params?: first = try encode(params, as: call.input)
        }
        let number = nextCall
        nextCall += 1
        calls[number] = call
        callsByID[id] = number
        guard call.method.clientStreaming else { return [.start(number, call.method, request: first)] }
        return [.start(number, call.method, request: nil)] + (first.map { [.send(number, $0)] } ?? [])
    }

    private func send(_ message: JSON?, on call: Call) throws(JSONRPCError) -> [Action] {
        guard let open = calls[call] else { return [] }
        guard !open.isSendClosed else {
            throw JSONRPCError(JSONRPCError.invalidParams, "\(open.method.path) takes no further message")
        }
        guard let message else { throw JSONRPCError(JSONRPCError.invalidParams, "$/send: expected a message") }
        return [.send(call, try encode(message, as: open.input))]
    }

    private mutating func closeSend(_ call: Call) throws(JSONRPCError) -> [Action] {
        guard let open = calls[call], open.method.clientStreaming, !open.isSendClosed else { return [] }
        calls[call]?.isSendClosed = true
        return [.closeSend(call)]
    }

    private mutating func cancel(_ call: Call, _ reason: String) -> [Action] {
        let failure = CallFailure(code: 1, message: reason)
        let error = JSONRPCError(JSONRPCError.requestCancelled, reason, data: Self.data(failure))
        return [.cancel(call)] + finish(call, .failure(error))
    }

    private func encode(_ json: JSON, as message: MessageDescriptor) throws(JSONRPCError) -> [UInt8] {
        do {
            return try codec.encode(json, as: message)
        } catch {
            throw JSONRPCError(JSONRPCError.invalidParams, "\(error)")
        }
    }

    // MARK: From the server

    /// A message came on a call.
    package mutating func received(_ bytes: [UInt8], on call: Call) -> [Action] {
        guard let open = calls[call] else { return [] }
        let message: JSON
        do {
            message = try codec.decode(bytes, as: open.output)
        } catch {
            let failure = CallFailure(code: 15, message: "\(open.method.path): \(error)", reason: "data_loss")
            return [.cancel(call)] + finish(call, .failure(Self.error(failure)))
        }
        calls[call]?.received += 1
        guard open.method.serverStreaming else {
            calls[call]?.result = message
            return []
        }
        let params = JSON.object([("id", open.id.json), ("message", message)])
        return [.write(.notification(method: "$/stream", params: params))]
    }

    /// A call ended.
    /// - Parameter failure: nil where it ended well.
    package mutating func ended(_ call: Call, _ failure: CallFailure?) -> [Action] {
        guard let open = calls[call] else { return [] }
        if let failure { return finish(call, .failure(Self.error(failure))) }
        if open.method.serverStreaming {
            return finish(call, .success(.object([("messages", .integer(open.received))])))
        }
        guard let result = open.result else {
            let failure = CallFailure(code: 13, message: "\(open.method.path) ended without an answer")
            return finish(call, .failure(Self.error(failure)))
        }
        return finish(call, .success(result))
    }

    private mutating func finish(_ call: Call, _ result: Result<JSON, JSONRPCError>) -> [Action] {
        guard let open = calls.removeValue(forKey: call) else { return [] }
        callsByID[open.id] = nil
        return [.write(.response(id: open.id, result))]
    }

    private static func error(_ failure: CallFailure) -> JSONRPCError {
        JSONRPCError(-32050 - failure.code, failure.message, data: data(failure))
    }

    private static func data(_ failure: CallFailure) -> JSON {
        .object([("code", .string(failure.name))] + (failure.reason.map { [("reason", .string($0))] } ?? []))
    }

    /// The result of `initialize`. Clients of the Language Server Protocol insist on `capabilities`.
    private var description: JSON {
        let services = codec.pool.services.map { service in
            let methods = service.methods.map { method in
                JSON.object([
                    ("name", .string(method.path)), ("input", .string(method.input)),
                    ("output", .string(method.output)), ("clientStreaming", .bool(method.clientStreaming)),
                    ("serverStreaming", .bool(method.serverStreaming)),
                ])
            }
            return JSON.object([("name", .string(service.fullName)), ("methods", .array(methods))])
        }
        return .object([("capabilities", .object([])), ("serverInfo", serverInfo), ("services", .array(services))])
    }
}
