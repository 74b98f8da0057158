import Files
import Foundation

/// Where a command writes: results to `output`, everything else to `error`.
package struct Console: Sendable {
    /// Takes a piece of the result.
    package let output: @Sendable (String) throws -> Void
    /// Takes a message or a piece of a progress line.
    package let error: @Sendable (String) -> Void
    /// Whether a person is looking at the messages, so that progress is worth showing.
    package let showsProgress: Bool
    package let environment: [String: String]

    package init(
        output: @escaping @Sendable (String) throws -> Void, error: @escaping @Sendable (String) -> Void,
        showsProgress: Bool, environment: [String: String]
    ) {
        self.output = output
        self.error = error
        self.showsProgress = showsProgress
        self.environment = environment
    }

    /// The process's own.
    package static let standard = Console(
        output: { try write(Array($0.utf8), to: STDOUT_FILENO, name: "standard output") },
        error: { try? write(Array($0.utf8), to: STDERR_FILENO, name: "standard error") },
        showsProgress: isatty(STDERR_FILENO) == 1,
        environment: ProcessInfo.processInfo.environment)

    /// That of the command that runs.
    @TaskLocal package static var current = standard

    /// Writes a line of the result.
    func print(_ line: String) throws { try output(line + "\n") }
}

/// Writes everything, however long it takes.
/// - Throws: ``Files/FileError`` (`inputOutput`) where nobody reads, or nothing more fits.
func write(_ bytes: [UInt8], to descriptor: Int32, name: String) throws {
    guard bytes.withUnsafeBytes({ writeAll($0, to: descriptor) }) else {
        throw FileError(.inputOutput, "cannot write to \(name): \(systemReason())")
    }
}
