import Foundation
import Synchronization

/// A small HTTP/1.1 server on 127.0.0.1 for tests of downloads: it answers each request as the test says, and can
/// break off in the middle of a body.
///
/// One connection carries one request. The server stops when it is let go.
public final class LocalHTTPServer: Sendable {
    public struct Request: Sendable {
        public let path: String
        /// First byte asked for with `Range: bytes=N-`.
        public let rangeStart: Int?
        /// How many requests came before this one.
        public let index: Int
    }

    public struct Reply: Sendable {
        public var status = 200
        public var headers: [String: String] = [:]
        public var body: [UInt8] = []
        /// The length to announce, where it is not the body's.
        public var announcedLength: Int?
        /// Bytes of the body after which the connection is cut.
        public var cutAfter: Int?
        /// Bytes of the body after which nothing comes any more, until the client goes.
        public var stallAfter: Int?

        public static func status(_ code: Int) -> Reply { Reply(status: code, body: Array("no\n".utf8)) }

        /// All of `bytes`, whatever range was asked for.
        public static func whole(_ bytes: [UInt8], cutAfter: Int? = nil) -> Reply {
            Reply(body: bytes, cutAfter: cutAfter)
        }

        /// The part of `bytes` that was asked for, as a server does that knows ranges.
        public static func range(of bytes: [UInt8], for request: Request, cutAfter: Int? = nil) -> Reply {
            guard let start = request.rangeStart else { return whole(bytes, cutAfter: cutAfter) }
            guard start < bytes.count else {
                return Reply(status: 416, headers: ["Content-Range": "bytes */\(bytes.count)"])
            }
            return Reply(
                status: 206, headers: ["Content-Range": "bytes \(start)-\(bytes.count - 1)/\(bytes.count)"],
                body: Array(bytes[start...]), cutAfter: cutAfter)
        }
    }

    public let port: UInt16
    private let listener: Int32
    private let seen = Mutex<[Request]>([])

    /// The requests so far.
    public var requests: [Request] { seen.withLock { $0 } }
    public var base: String { "http://127.0.0.1:\(port)" }

    public init(_ answer: @escaping @Sendable (Request) -> Reply) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 16) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard bound else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EADDRNOTAVAIL) }
        self.listener = listener
        self.port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread { [weak self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { return }
                guard let self else { close(connection); return }
                self.serve(connection, answer)
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private func serve(_ connection: Int32, _ answer: @escaping @Sendable (Request) -> Reply) {
        defer { close(connection) }
        var head: [UInt8] = []
        var byte: UInt8 = 0
        while !head.suffix(4).elementsEqual("\r\n\r\n".utf8) {
            guard head.count < 65536, recv(connection, &byte, 1, 0) == 1 else { return }
            head.append(byte)
        }
        let lines = String(decoding: head, as: UTF8.self).components(separatedBy: "\r\n")
        let path = lines[0].split(separator: " ").dropFirst().first.map(String.init) ?? "/"
        let range = lines.first { $0.lowercased().hasPrefix("range: bytes=") }
        let start = range.flatMap { Int($0.dropFirst(13).prefix { $0 != "-" }) }
        let request = seen.withLock { seen in
            let request = Request(path: path, rangeStart: start, index: seen.count)
            seen.append(request)
            return request
        }
        send(answer(request), to: connection)
    }

    private func send(_ reply: Reply, to connection: Int32) {
        var head = "HTTP/1.1 \(reply.status) Status\r\nConnection: close\r\n"
        head += "Content-Length: \(reply.announcedLength ?? reply.body.count)\r\n"
        for (name, value) in reply.headers { head += "\(name): \(value)\r\n" }
        let bytes =
            Array((head + "\r\n").utf8) + reply.body.prefix(reply.cutAfter ?? reply.stallAfter ?? reply.body.count)
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Foundation.send(connection, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            sent += count
        }
        if reply.stallAfter != nil {
            var byte: UInt8 = 0
            while recv(connection, &byte, 1, 0) > 0 {}
        }
        guard reply.cutAfter != nil else { return }
        // A cut connection is reset, not closed politely, half of the time in real life; here always.
        var linger = linger(l_onoff: 1, l_linger: 0)
        usleep(50_000)
        setsockopt(connection, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
    }
}
