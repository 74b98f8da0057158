import ArgumentParser
import Client
import Files
import Foundation

/// The program `auscult`: reads the arguments, runs the command, reports what went wrong.
public enum Program {
    /// Runs the process's own command line.
    public static func main() async -> Never {
        _ = Console.endsByPipe
        let arguments = arguments
        let command = Task { await run(arguments, console: .standard) }
        Interruption.install { command.cancel() }
        let status = await command.value
        Interruption.endIfReceived()
        exit(status.rawValue)
    }

    /// The process's arguments; what is not UTF-8 in a file's name is not lost.
    private static var arguments: [String] {
        (1..<max(Int(CommandLine.argc), 1)).compactMap { index in
            CommandLine.unsafeArgv[index].map { PathText.text(UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
        }
    }

    /// Runs one command line to its end.
    package static func run(_ arguments: [String], console: Console) async -> ExitStatus {
        await Console.$current.withValue(console) {
            do {
                var command = try Auscult.parseAsRoot(arguments)
                if var command = command as? any AsyncParsableCommand {
                    try await command.run()
                } else {
                    try command.run()
                }
                return .ok
            } catch {
                return report(error, console)
            }
        }
    }

    private static func report(_ error: any Error, _ console: Console) -> ExitStatus {
        if let failure = error as? Failure { return failure.status }
        // Whoever cancelled it says so.
        if error is CancellationError { return .interrupted }
        let status = ExitStatus(of: error)
        guard status == .failure else {
            console.error(errorMessage(error) + "\n")
            return status
        }
        let code = Auscult.exitCode(for: error)
        let message = Auscult.fullMessage(for: error)
        if code == .success {
            // --help, --version and completion scripts are results.
            do { try console.print(message) } catch { return ExitStatus(of: error) }
            return .ok
        }
        guard code == .validationFailure else {
            console.error(errorMessage(error) + "\n")
            return .failure
        }
        let text = message.hasPrefix("Error: ") ? String(message.dropFirst("Error: ".count)) : message
        console.error("auscult: error: \(text)\n")
        return .usage
    }
}
