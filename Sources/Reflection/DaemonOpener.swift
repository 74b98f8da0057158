import Client
import Files
import Foundation
import Logging
import StrictJSON

/// What it takes to reach the daemon, again and again.
package struct DaemonOpener: Sendable {
    package let socket: SocketPath
    package let launcher: DaemonLauncher?
    package let logger: Logger

    package init(socket: SocketPath, launcher: DaemonLauncher?, logger: Logger) {
        self.socket = socket
        self.launcher = launcher
        self.logger = logger
    }

    package func open() async throws -> DaemonConnection {
        try await DaemonConnection.open(at: socket, launcher: launcher, logger: logger)
    }

    /// Carries JSON-RPC between two descriptors and a connection of its own, until the editor has had enough.
    /// - Returns: the status to exit with.
    package func serve(reading: Int32, writing: Int32) async throws -> Int32 {
        let daemon = try await open()
        let shared = SharedConnection(daemon) { try await open() }
        let pool = try await DescriptorPool(from: daemon)
        let bridge = Bridge(
            MessageCodec(pool), serverInfo: ["name": "auscult", "version": .string(auscultVersion)],
            transport: WireTransport(shared, pool),
            write: { try Client.write($0, to: writing, name: "the editor") })
        let input = AsyncThrowingStream<[UInt8], any Error> {
            let bytes = try await readNext(reading, most: 64 << 10, name: "the editor")
            return bytes.isEmpty ? nil : bytes
        }
        let result = await Result { try await bridge.run(input) }
        await shared.close()
        return try result.get()
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
