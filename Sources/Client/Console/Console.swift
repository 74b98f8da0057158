import Files
import Foundation
import Results

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
        output: { text in
            do { try write(Array(text.utf8), to: STDOUT_FILENO, name: "standard output") } catch {
                // SwiftNIO ignores SIGPIPE for the whole process; 'auscult … | head' still ends as it should.
                if endsByPipe, isReaderGone(STDOUT_FILENO) {
                    signal(SIGPIPE, SIG_DFL)
                    raise(SIGPIPE)
                }
                throw error
            }
        },
        error: { try? write(Array(PathText.shown($0).utf8), to: STDERR_FILENO, name: "standard error") },
        showsProgress: isatty(STDERR_FILENO) == 1,
        environment: ProcessInfo.processInfo.environment)

    /// Whether this process was to end by SIGPIPE before a library saw to it; asked for once, at the start.
    package static let endsByPipe: Bool = {
        var current = sigaction()
        return sigaction(SIGPIPE, nil, &current) == 0
            && unsafeBitCast(current.__sigaction_handler.sa_handler, to: Int.self)
                == unsafeBitCast(SIG_DFL, to: Int.self)
    }()

    /// That of the command that runs.
    @TaskLocal package static var current = standard

    /// Writes a line of the result.
    package func print(_ line: String) throws { try output(line + "\n") }
}

/// Writes everything, however long it takes.
/// - Throws: ``Files/FileError`` (`inputOutput`) where nobody reads, or nothing more fits.
package func write(_ bytes: [UInt8], to descriptor: Int32, name: String) throws {
    guard bytes.withUnsafeBytes({ writeAll($0, to: descriptor) }) else {
        throw FileError(.inputOutput, "cannot write to \(name): \(systemReason())")
    }
}

/// Whether nobody reads a pipe any more.
private func isReaderGone(_ descriptor: Int32) -> Bool {
    var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    return poll(&wait, 1, 0) == 1 && wait.revents & Int16(POLLERR) != 0
}
