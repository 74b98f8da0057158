import ArgumentParser
import CDescriptors
import Files
import Foundation

/// The program `auscultd`: reads the arguments, puts the configuration together, serves, reports what went wrong.
public enum DaemonProgram {
    /// Serves until it is told to stop.
    package typealias Serve = @Sendable (Configuration) async throws -> Void

    /// Runs the process's own command line.
    package static func main(serve: Serve) async -> Never {
        // Before there are threads: each would get an arena of its own, which keeps what was freed in it.
        auscult_memory_bound_arenas(2)
        let status = await run(
            Array(CommandLine.arguments.dropFirst()), environment: ProcessInfo.processInfo.environment,
            output: { print($0, terminator: "") },
            error: { text in FileHandle.standardError.write(Data(text.utf8)) }, serve: serve)
        // Not exit(): where memory was short, a thread of OpenBLAS's looks for some without end, and its library waits for it there.
        fflush(nil)
        _exit(status)
    }

    /// Runs one command line to its end.
    /// - Returns: the exit status, by BSD's sysexits.h.
    package static func run(
        _ arguments: [String], environment: [String: String], output: (String) -> Void, error: (String) -> Void,
        serve: Serve
    ) async -> Int32 {
        let command: DaemonCommand
        do {
            command = try DaemonCommand.parse(arguments)
        } catch let problem {
            let message = DaemonCommand.fullMessage(for: problem)
            guard DaemonCommand.exitCode(for: problem) != .success else {
                output(message + "\n")
                return 0
            }
            error("auscultd: error: \(message.hasPrefix("Error: ") ? String(message.dropFirst(7)) : message)\n")
            return 64
        }
        do {
            let configuration = try Configuration.resolve(
                flags: command.flags, environment: environment, file: command.configFile)
            guard !command.checkConfig else {
                output(configuration.text)
                return 0
            }
            try await serve(configuration)
            return 0
        } catch let problem {
            error("auscultd: error: \(problem)\n")
            return exitStatus(of: problem)
        }
    }

    private static func exitStatus(of error: any Error) -> Int32 {
        switch error {
        // EX_CONFIG.
        case is ConfigurationError: return 78
        case let error as any CodedError:
            // EX_NOPERM: the daemon's folders are another user's, which is no matter of making a file.
            return error.code == .permissionDenied ? 77 : error.code.exitStatus ?? 1
        default: return 1
        }
    }
}
