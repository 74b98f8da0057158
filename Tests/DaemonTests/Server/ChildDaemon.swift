import Foundation
import Messages
import TestSupport
import Testing
import Wire

/// The program `auscultd` that was built beside the tests, as a child process in a folder of its own.
final class ChildDaemon: Sendable {
    let folder: TemporaryFolder
    private let process: Process
    var socket: String { folder("d/s.sock") }
    var pid: Int32 { process.processIdentifier }

    static var program: String {
        get throws {
            let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
            return URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent("auscultd").path
        }
    }

    /// - Parameters:
    ///   - wrapper: a command that the program and its arguments are given to, and that becomes it by `exec`.
    ///   - socket: where it listens; without one, ``socket``.
    init(
        _ arguments: String..., in folder: TemporaryFolder? = nil, through wrapper: [String] = [],
        environment: [String: String] = [:], socket: String? = nil
    ) throws {
        let folder = try folder ?? TemporaryFolder()
        self.folder = folder
        process = Process()
        let all =
            wrapper + [try Self.program, "--socket", socket ?? folder("d/s.sock"), "--data-folder", folder("data")]
            + arguments
        process.executableURL = URL(fileURLWithPath: all[0])
        process.arguments = Array(all.dropFirst())
        process.environment = ProcessInfo.processInfo.environment
            .merging(["HOME": folder.path, "TMPDIR": folder.path]) { $1 }.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        for name in ["out", "log"] { _ = FileManager.default.createFile(atPath: folder(name), contents: nil) }
        process.standardOutput = FileHandle(forWritingAtPath: folder("out"))
        process.standardError = FileHandle(forWritingAtPath: folder("log"))
        try process.run()
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    /// What it wrote on standard error, and on standard output.
    var log: String { text("log") }
    var output: String { text("out") }

    private func text(_ name: String) -> String {
        (try? String(contentsOfFile: folder(name), encoding: .utf8)) ?? ""
    }

    /// Waits until it serves.
    @discardableResult
    func ready() async throws -> ChildDaemon {
        try await eventually("auscultd serves; it said: \(log)") {
            guard process.isRunning else { throw Ended(log: log) }
            let answer = try? await callOnce(at: socket, Health.HealthRPC.check, Health.HealthCheckRequest())
            return answer?.status == .serving
        }
        return self
    }

    struct Ended: Error { let log: String }

    func connect() async throws -> WireClient { try await WireClient.connect(to: socket) }

    func send(_ signal: Int32) { kill(pid, signal) }

    var isRunning: Bool { process.isRunning }

    /// Waits for its end.
    /// - Returns: its exit status, or 128 and the signal that ended it.
    func ended() async throws -> Int32 {
        try await eventually("auscultd ends; it said: \(log)") { !process.isRunning }
        return process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
    }

    /// A trace that takes a while, of so many seconds of sound.
    func trace(seconds: Int, to name: String = "t.safetensors") throws -> V1.TraceRequest {
        try Sound.longTrace(seconds: seconds, in: folder, to: name)
    }
}

/// A connection that speaks in bytes, and reads only when it is told to.
final class RawConnection: Sendable {
    let descriptor: Int32

    init(to path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard connected == 0 else {
            let reason = errno
            close(descriptor)
            throw POSIXError(POSIXErrorCode(rawValue: reason) ?? .EIO)
        }
        // So that a test cannot hang here.
        var patience = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    /// A client of HTTP on loopback.
    init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else {
            let reason = errno
            close(descriptor)
            throw POSIXError(POSIXErrorCode(rawValue: reason) ?? .EIO)
        }
    }

    deinit { close(descriptor) }

    func send(_ bytes: [UInt8]) throws {
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes {
                Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
            done += count
        }
    }

    /// All bytes up to the end, or to an error.
    func readAll() async throws -> [UInt8] { try await blocking { self.readToEnd() } }

    private func readToEnd() -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return all }
            all += buffer[..<count]
        }
    }

    /// The response that comes next.
    func response() async throws -> TTRPC.Response {
        let frame = try await blocking { () -> [UInt8] in
            let header = try self.read(10)
            return try self.read(header.prefix(4).reduce(0) { $0 << 8 | Int($1) })
        }
        return try TTRPC.Response(serialized: frame)
    }

    private func read(_ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let received = bytes.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress! + done, count - done, 0) }
            guard received > 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
            done += received
        }
        return bytes
    }

    /// A frame that begins a call.
    static func request<Q, A>(_ rpc: RPC<Q, A>, _ message: Q, stream: UInt32 = 1) -> [UInt8] {
        let request = TTRPC.Request(service: rpc.service, method: rpc.method, payload: message.serialized())
        return frame(stream, type: 1, flags: rpc.kind == .serverStream ? 1 : 0, request.serialized())
    }

    static func frame(_ stream: UInt32, type: UInt8, flags: UInt8, _ payload: [UInt8]) -> [UInt8] {
        func big(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.bigEndian, Array.init) }
        return big(UInt32(payload.count)) + big(stream) + [type, flags] + payload
    }
}
