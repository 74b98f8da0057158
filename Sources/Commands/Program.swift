import ArgumentParser
import Client
import Foundation

/// The program `auscult`: reads the arguments, runs the command, reports what went wrong.
public enum Program {
    /// Runs the process's own command line.
    public static func main() async -> Never {
        _ = Console.endsByPipe
        let command = Task { await run(Array(CommandLine.arguments.dropFirst()), console: .standard) }
        Interruption.install { command.cancel() }
        let status = await command.value
        Interruption.endIfReceived()
        exit(status.rawValue)
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
