import Foundation
import Messages
import Wire

/// A frame as bytes on a socket, written out here once more so that the server's own encoding is not what is tested with.
struct RawFrame: Equatable {
    var stream: UInt32
    var kind: UInt8
    var flags: UInt8 = 0
    var data: [UInt8] = []

    static func request(
        _ stream: UInt32, _ service: String, _ method: String, _ payload: [UInt8] = [], flags: UInt8 = 0,
        timeoutNano: Int64 = 0
    ) -> RawFrame {
        let request = TTRPC.Request(service: service, method: method, payload: payload, timeoutNano: timeoutNano)
        return RawFrame(stream: stream, kind: 1, flags: flags, data: request.serialized())
    }

    /// A unary call of the echo.
    static func echo(_ stream: UInt32, _ name: String) -> RawFrame {
        .request(stream, "auscult.v1.Model", "Info", V1.ModelRef(name: name).serialized())
    }

    static func data(_ stream: UInt32, _ data: [UInt8], flags: UInt8 = 0) -> RawFrame {
        RawFrame(stream: stream, kind: 3, flags: flags, data: data)
    }

    /// How Go's client closes its side.
    static func end(_ stream: UInt32, flags: UInt8 = 5) -> RawFrame { .data(stream, [], flags: flags) }

    static func header(length: UInt32, stream: UInt32, kind: UInt8, flags: UInt8 = 0) -> [UInt8] {
        func bytes(_ value: UInt32) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) } }
        return bytes(length) + bytes(stream) + [kind, flags]
    }

    var bytes: [UInt8] {
        Self.header(length: UInt32(data.count), stream: stream, kind: kind, flags: flags) + data
    }

    var response: TTRPC.Response? { kind == 2 ? try? TTRPC.Response(serialized: data) : nil }
    var code: WireError.Code? { response.map { WireError.Code(rawValue: $0.status?.code ?? 0) } }
    /// The name that an echo gave back.
    var echoed: String? { (response?.payload).flatMap { try? V1.ModelInfo(serialized: $0).name } }
}

/// A connection whose bytes a test writes and reads by hand. A read that gets nothing for a minute fails the test.
final class RawConnection: Sendable {
    let descriptor: Int32
    /// Blocks here and not on the threads that the server's methods run on.
    private let queue = DispatchQueue(label: "raw connection")

    convenience init(to path: String) throws { self.init(try UnixSocket.connected(to: path)) }

    /// Takes the descriptor over.
    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        var patience = timeval(tv_sec: 60, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    deinit { close(descriptor) }

    /// Ends both directions at once, as a process that dies does.
    func cut() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// Says that nothing more comes, and goes on reading.
    func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    func send(_ frames: RawFrame...) async throws { try await send(frames.flatMap(\.bytes)) }

    func send(_ bytes: [UInt8]) async throws {
        try await blocking { descriptor in
            var sent = 0
            while sent < bytes.count {
                let count = bytes.withUnsafeBytes { bytes in
                    Foundation.send(
                        descriptor, bytes.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { throw SystemError("send") }
                sent += count
            }
        }
    }

    /// As much as goes out without waiting.
    /// - Returns: bytes that went out.
    func sendWhatFits(_ bytes: [UInt8]) -> Int {
        bytes.withUnsafeBytes { bytes in
            max(0, Foundation.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT)))
        }
    }

    /// nil at the end of the connection.
    func receive(_ count: Int) async throws -> [UInt8]? {
        try await blocking { descriptor in
            var bytes = [UInt8](repeating: 0, count: count)
            var received = 0
            while received < count {
                let now = bytes.withUnsafeMutableBytes { bytes in
                    recv(descriptor, bytes.baseAddress.map { $0 + received }, bytes.count - received, 0)
                }
                if now == 0 || (now < 0 && errno == ECONNRESET) { return nil }
                guard now > 0 else { throw SystemError("recv") }
                received += now
            }
            return bytes
        }
    }

    /// nil at the end of the connection.
    func frame() async throws -> RawFrame? {
        guard let header = try await receive(10) else { return nil }
        func number(_ at: Int) -> UInt32 { header[at..<at + 4].reduce(0) { $0 << 8 | UInt32($1) } }
        guard let data = number(0) == 0 ? [] : try await receive(Int(number(0))) else { return nil }
        return RawFrame(stream: number(4), kind: header[8], flags: header[9], data: data)
    }

    private func blocking<R: Sendable>(_ body: @escaping @Sendable (Int32) throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { [self] in continuation.resume(with: Result { try body(descriptor) }) }
        }
    }
}
