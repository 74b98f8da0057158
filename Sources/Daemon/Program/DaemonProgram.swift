import ArgumentParser
import Files
import Foundation
import TensorFiles
import Whisper

/// The program `auscultd`: reads the arguments, puts the configuration together, serves, reports what went wrong.
public enum DaemonProgram {
    /// Serves until it is told to stop.
    package typealias Serve = @Sendable (Configuration) async throws -> Void

    /// Runs the process's own command line.
    package static func main(serve: Serve) async -> Never {
        let status = await run(
            Array(CommandLine.arguments.dropFirst()), environment: ProcessInfo.processInfo.environment,
            output: { print($0, terminator: "") },
            error: { text in FileHandle.standardError.write(Data(text.utf8)) }, serve: serve)
        exit(status)
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
        let code: String? =
            switch error {
            case is ConfigurationError: "configuration"
            case let error as FileError: error.code.rawValue
            case let error as ServiceError: error.code.rawValue
            case let error as WhisperError: error.code.rawValue
            case let error as TensorFileError: error.code.rawValue
            default: nil
            }
        return switch code {
        case "configuration": 78
        case FileError.Code.permissionDenied.rawValue: 77
        case FileError.Code.cannotCreate.rawValue: 73
        case FileError.Code.inputOutput.rawValue: 74
        case FileError.Code.unavailable.rawValue: 69
        case FileError.Code.notFound.rawValue: 66
        case FileError.Code.invalidArgument.rawValue: 64
        case ServiceError.Code.dataLoss.rawValue, WhisperError.Code.unsupported.rawValue: 65
        default: 1
        }
    }
}
