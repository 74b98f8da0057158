import StrictJSON

/// What a request is known by.
package enum JSONRPCID: Hashable, Sendable {
    case number(Int)
    case string(String)

    package var json: JSON {
        switch self {
        case .number(let number): .integer(number)
        case .string(let text): .string(text)
        }
    }

    package init?(_ json: JSON?) {
        switch json {
        case .integer(let number): self = .number(number)
        case .string(let text): self = .string(text)
        default: return nil
        }
    }
}

/// Why a request was not answered with a result.
package struct JSONRPCError: Error, Sendable {
    package static let parseError = -32700
    package static let invalidRequest = -32600
    package static let methodNotFound = -32601
    package static let invalidParams = -32602
    /// The Language Server Protocol's, for a request that the client cancelled.
    package static let requestCancelled = -32800

    package let code: Int
    package let message: String
    package let data: JSON?

    package init(_ code: Int, _ message: String, data: JSON? = nil) {
        self.code = code
        self.message = message
        self.data = data
    }

    package var json: JSON {
        .object([("code", .integer(code)), ("message", .string(message))] + (data.map { [("data", $0)] } ?? []))
    }
}

/// A message of JSON-RPC 2.0. Batches are refused, as the Language Server Protocol has none.
package enum JSONRPCMessage: Sendable {
    case request(id: JSONRPCID, method: String, params: JSON?)
    case notification(method: String, params: JSON?)
    /// Without an id where the request could not be read.
    case response(id: JSONRPCID?, Result<JSON, JSONRPCError>)

    /// A message that cannot be read, and the id to answer it with, where that much could be read.
    package struct Unreadable: Error, Sendable {
        package let id: JSONRPCID?
        package let error: JSONRPCError
    }

    /// The message that the bytes of a body are.
    package init(parsing body: [UInt8]) throws(Unreadable) {
        let json: JSON
        do {
            json = try JSON(parsing: body)
        } catch {
            throw Unreadable(id: nil, error: JSONRPCError(JSONRPCError.parseError, "\(error)"))
        }
        guard case .object = json else { throw Self.invalid(nil, "expected an object, found \(json.briefly)") }
        let id = JSONRPCID(json["id"])
        guard case .string("2.0") = json["jsonrpc"] else { throw Self.invalid(id, "expected \"jsonrpc\": \"2.0\"") }
        guard let method = json["method"] else {
            self = .response(id: id, try Self.outcome(json, id))
            return
        }
        guard case .string(let method) = method else {
            throw Self.invalid(id, "expected a string as the method, found \(method.briefly)")
        }
        if let id {
            self = .request(id: id, method: method, params: json["params"])
        } else if let other = json["id"] {
            throw Self.invalid(nil, "expected a whole number or a string as the id, found \(other.briefly)")
        } else {
            self = .notification(method: method, params: json["params"])
        }
    }

    private static func outcome(_ json: JSON, _ id: JSONRPCID?) throws(Unreadable) -> Result<JSON, JSONRPCError> {
        switch (json["result"], json["error"]) {
        case (let result?, nil): return .success(result)
        case (nil, let error?):
            guard case .integer(let code) = error["code"], case .string(let message) = error["message"] else {
                throw invalid(id, "expected a code and a message in the error")
            }
            return .failure(JSONRPCError(code, message, data: error["data"]))
        default: throw invalid(id, "expected a method, or either a result or an error")
        }
    }

    private static func invalid(_ id: JSONRPCID?, _ problem: String) -> Unreadable {
        Unreadable(id: id, error: JSONRPCError(JSONRPCError.invalidRequest, "not a JSON-RPC message: \(problem)"))
    }

    package var json: JSON {
        var members: [(String, JSON)] = [("jsonrpc", "2.0")]
        switch self {
        case .request(let id, let method, let params):
            members += [("id", id.json), ("method", .string(method))]
            if let params { members.append(("params", params)) }
        case .notification(let method, let params):
            members.append(("method", .string(method)))
            if let params { members.append(("params", params)) }
        case .response(let id, .success(let result)): members += [("id", id?.json ?? .null), ("result", result)]
        case .response(let id, .failure(let error)): members += [("id", id?.json ?? .null), ("error", error.json)]
        }
        return .object(members)
    }
}
