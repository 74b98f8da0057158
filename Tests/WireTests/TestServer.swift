import Foundation
import Logging
import Messages
import TestSupport
import Wire

/// A server on a socket of its own.
struct TestServer {
    let server: WireServer
    let folder: TemporaryFolder
    var path: String { folder("s") }

    init(
        _ methods: [ServerMethod] = EchoMethods.all, limits: WireServer.Limits = WireServer.Limits(),
        observer: WireServer.Observer = WireServer.Observer(),
        authorize: @escaping @Sendable (Peer) -> WireError? = { _ in nil }
    ) async throws {
        folder = try TemporaryFolder()
        server = WireServer(
            methods, limits: limits, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            observer: observer, authorize: authorize)
        try server.listen(on: UnixSocket.listening(at: folder("s")))
    }

    func connect() async throws -> WireClient { try await WireClient.connect(to: path) }

    func rawConnection() throws -> RawConnection { try RawConnection(to: path) }

    func stop() async { await server.drain(timeout: .seconds(5)) }

    /// Runs `body`, and drains the server whatever comes of it.
    func run<R>(_ body: (TestServer) async throws -> R) async throws -> R {
        do {
            let result = try await body(self)
            await stop()
            return result
        } catch {
            await stop()
            throw error
        }
    }
}

/// One method of each kind, on services of the contract that have them.
enum EchoMethods {
    static let all = [unary, serverStream, clientStream, bidirectional]

    static let unary = V1.ModelRPC.info.handle { request, _ in V1.ModelInfo(name: request.name) }

    /// Counts down from the request's `tokens`, and begins with the subscription id, as every server stream does.
    static let serverStream = V1.ModelRPC.pull.handle { request, answers, context in
        try await answers.send(V1.PullModelEvent(event: .started(V1.Started(subscriptionId: context.subscriptionID))))
        for i in 0..<(Int(request.name) ?? 0) {
            try await answers.send(V1.PullModelEvent(event: .verifying(String(i))))
        }
    }

    static let clientStream = V1.AudioRPC.upload.collect { requests, _ in
        var bytes: UInt64 = 0
        for try await chunk in requests { bytes += UInt64(chunk.data.count) }
        return V1.UploadedAudio(uploadId: "u", bytes: bytes)
    }

    static let bidirectional = Reflection.ServerReflectionRPC.serverReflectionInfo.handle { requests, answers, _ in
        for try await request in requests {
            try await answers.send(Reflection.ServerReflectionResponse(validHost: request.host))
        }
    }
}

enum UnixSocket {
    static func listening(at path: String) throws -> Int32 {
        let descriptor = try open()
        guard try withAddress(path, { bind(descriptor, $0, $1) }) == 0 else { throw SystemError("bind") }
        guard listen(descriptor, 64) == 0 else { throw SystemError("listen") }
        return descriptor
    }

    static func connected(to path: String) throws -> Int32 {
        let descriptor = try open()
        guard try withAddress(path, { connect(descriptor, $0, $1) }) == 0 else {
            close(descriptor)
            throw SystemError("connect")
        }
        return descriptor
    }

    private static func open() throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SystemError("socket") }
        return descriptor
    }

    private static func withAddress<R>(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R) throws -> R {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else { throw SystemError("path") }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}

struct SystemError: Error, CustomStringConvertible {
    let description: String
    init(_ call: String) { description = "\(call): \(String(cString: strerror(errno)))" }
}
