import Foundation
import Glibc

/// A request as bytes over a socket: what a friendly client would not send can be sent too.
struct RawAnswer: Sendable {
    var status: Int
    /// Names in lower case.
    var headers: [String: String]
    var body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }

    func json() throws -> [String: Any] {
        try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any] ?? [:]
    }
}

enum RawHTTP {
    struct Failure: Error { let reason: String }

    static func get(
        _ target: String, port: Int, host: String? = "127.0.0.1", method: String = "GET",
        headers: [String] = []
    ) async throws -> RawAnswer {
        var lines = ["\(method) \(target) HTTP/1.1", "Connection: close"] + headers
        if let host { lines.append("Host: \(host)") }
        let request = lines.joined(separator: "\r\n") + "\r\n\r\n"
        // Waiting for bytes would keep a thread from the server, which answers on the same ones.
        return try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Result { try send(request, port: port) }) }
        }
    }

    static func send(_ request: String, port: Int) throws -> RawAnswer {
        let number = try open(port: port)
        defer { close(number) }
        let bytes = Array(request.utf8)
        guard Glibc.send(number, bytes, bytes.count, 0) == bytes.count else { throw Failure(reason: "cannot send") }
        return try answer(read(number))
    }

    /// A connection, as a descriptor to be closed.
    static func open(port: Int) throws -> Int32 {
        let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard number >= 0 else { throw Failure(reason: "no socket") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else {
            close(number)
            throw Failure(reason: "cannot connect to port \(port)")
        }
        return number
    }

    /// What comes until the other side closes.
    static func readToEnd(_ number: Int32) async throws -> [UInt8] {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: read(number)) }
        }
    }

    private static func read(_ number: Int32) -> [UInt8] {
        var all: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = recv(number, &piece, piece.count, 0)
            if count <= 0 { return all }
            all += piece[..<count]
        }
    }

    private static func answer(_ bytes: [UInt8]) throws -> RawAnswer {
        guard let end = bytes.indices.first(where: { bytes[$0...].starts(with: [13, 10, 13, 10]) }) else {
            throw Failure(reason: "no header came")
        }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).components(separatedBy: "\r\n")
        guard let status = Int(lines[0].split(separator: " ").dropFirst().first ?? "") else {
            throw Failure(reason: "no status in '\(lines[0])'")
        }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces) }
        }
        return RawAnswer(status: status, headers: headers, body: Array(bytes[(end + 4)...]))
    }
}
