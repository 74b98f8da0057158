import ArgumentParser
import Client
import Files
import Logging

/// Which daemon a command works through, and whether it may start one.
struct ConnectionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The daemon's socket; by default $AUSCULT_SOCKET, or the one in the user's runtime folder.",
            valueName: "path"),
        completion: .file())
    var socket: String?

    @Flag(name: .customLong("no-start"), help: "Fail where no daemon runs, instead of starting one.")
    var noStart = false

    var path: SocketPath {
        get throws { try SocketPath(socket, environment: Console.current.environment) }
    }

    /// Connects, runs `body`, and closes the connection, which ends whatever is still open on it.
    /// - Throws: ``CommandError`` where no daemon can be reached or started; what `body` throws.
    func use<Result>(
        _ logger: Logger, _ body: (DaemonConnection) async throws -> Result
    ) async throws -> Result {
        let launcher = noStart ? nil : DaemonLauncher(environment: Console.current.environment)
        let daemon = try await DaemonConnection.open(at: path, launcher: launcher, logger: logger)
        do {
            let result = try await body(daemon)
            await daemon.close()
            return result
        } catch {
            await daemon.close()
            throw error
        }
    }
}
