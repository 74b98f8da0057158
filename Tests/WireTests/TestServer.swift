import Foundation
import Logging
import TestSupport
import Wire

/// A server on a socket of its own.
struct TestServer {
    let server: WireServer
    let folder: TemporaryFolder
    var path: String { folder("s") }

    init(
        _ methods: [ServerMethod], limits: WireServer.Limits = WireServer.Limits(),
        observer: WireServer.Observer = WireServer.Observer(),
        authorize: @escaping @Sendable (Peer) -> WireError? = { _ in nil }
    ) async throws {
        folder = try TemporaryFolder()
        server = WireServer(
            methods, limits: limits, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            observer: observer, authorize: authorize)
        try await server.listen(on: Self.socket(at: folder("s")))
    }

    func connect() async throws -> WireClient { try await WireClient.connect(to: path) }

    func stop() async { await server.drain(timeout: .seconds(2)) }

    static func socket(at path: String) throws -> Int32 {
        let descriptor = Foundation.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        return descriptor
    }
}
