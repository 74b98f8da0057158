import Files
import Foundation
import Logging
import Messages
import Wire

/// A command's connection to the daemon, which was started for it where none ran.
package struct DaemonConnection: Sendable {
    package let client: WireClient
    package let socket: SocketPath

    /// What `auscultd` exits with where another one holds the socket.
    private static let anotherServes: Int32 = 69

    /// Connects to the daemon at `socket`, and starts one where nobody listens.
    ///
    /// Two commands may start one each: the daemons settle it between them, the one that comes second leaves, and both
    /// commands are served by the other.
    /// - Parameters:
    ///   - launcher: nil where none may be started.
    ///   - patience: how long a daemon may take until it serves; it loads its models first.
    /// - Throws: ``CommandError`` (`unavailable`) with what stands in the way.
    package static func open(
        at socket: SocketPath, launcher: DaemonLauncher?, patience: StartPatience = StartPatience(), logger: Logger
    ) async throws -> DaemonConnection {
        var patience = patience, patienceAtLaunch = patience
        var launched: LaunchedDaemon?
        var pause = Duration.milliseconds(10)
        while true {
            switch try await attempt(socket) {
            case .serving(let client):
                let daemon = DaemonConnection(client: client, socket: socket)
                await daemon.compareVersions(logger)
                return daemon
            case .silent where patience.end(SocketProbe.listener(at: socket)) != nil:
                throw CommandError(
                    .unavailable, "the program that listens at \(socket) does not answer as auscultd does")
            case .silent, .leaving: logger.debug("the daemon at \(socket) does not serve yet, or no longer; waiting")
            case .nobody:
                guard let launcher else {
                    throw CommandError(
                        .unavailable, "no daemon listens at \(socket), and with --no-start none is started")
                }
                if launched == nil {
                    patienceAtLaunch = patience
                    launched = try launcher.launch(at: socket)
                    logger.debug("starting \(launcher.program ?? "auscultd") at \(socket)")
                }
            }
            if let ended = launched?.exitStatus() {
                guard ended == anotherServes else { throw failed(launched, socket, "ended with status \(ended)") }
                // The other one may be on its way out; then the next round starts ours again.
                launched = nil
                patience = patienceAtLaunch
                pause = .milliseconds(250)
            }
            if let reason = patience.end(launched?.pid ?? SocketProbe.listener(at: socket)) {
                throw failed(launched, socket, reason)
            }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .milliseconds(200))
        }
    }

    private static func failed(_ launched: LaunchedDaemon?, _ socket: SocketPath, _ what: String) -> CommandError {
        guard let launched else {
            return CommandError(.unavailable, "the daemon at \(socket) \(what) and does not serve")
        }
        let lines = launched.lastLines
        let reason = lines.isEmpty ? "it printed nothing" : "it printed: " + lines.joined(separator: " | ")
        return CommandError(.unavailable, "\(launched.program) \(what) before it served \(socket); \(reason)")
    }

    private enum Answer {
        case serving(WireClient)
        case leaving
        /// Listens, and has not answered.
        case silent
        case nobody
    }

    private static func attempt(_ socket: SocketPath) async throws -> Answer {
        let client: WireClient
        do {
            // Relative paths in requests begin where this program was started.
            let folder = FileManager.default.currentDirectoryPath
            client = try await WireClient.connect(
                to: socket.path, metadata: folder.isEmpty ? [] : [(CallMetadata.workingFolder, folder)])
        } catch {
            switch SocketProbe(socket) {
            case .listening: return .leaving
            case .nobody: return .nobody
            case .refused(let reason):
                throw CommandError(.unavailable, "cannot connect to \(socket): \(systemReason(reason))")
            }
        }
        do {
            let health = try await client.call(Health.HealthRPC.check, .init(), timeout: .seconds(10))
            if health.status == .serving { return .serving(client) }
        } catch let error as WireError where error.code == .unavailable {
            // Closed while it was being asked.
        } catch let error as WireError where error.code == .deadlineExceeded {
            await client.close()
            return .silent
        } catch {
            await client.close()
            throw error
        }
        await client.close()
        return .leaving
    }

    private func compareVersions(_ logger: Logger) async {
        guard let status = try? await call(V1.DaemonRPC.status, .init()), status.version != auscultVersion else {
            return
        }
        logger.warning(
            """
            the daemon at \(socket) has version \(status.version), this program \(auscultVersion); \
            'auscult stop' ends it, and the next command starts another
            """)
    }

    package func close() async { await client.close() }

    /// A call that is answered once.
    package func call<Request, Response>(
        _ rpc: RPC<Request, Response>, _ request: Request, timeout: Duration? = nil
    ) async throws -> Response {
        try await client.call(rpc, request, timeout: timeout)
    }
}
