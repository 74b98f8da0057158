import Files
import Foundation

/// A command that is a module of the Python client: this process becomes the interpreter, so that its output, its status and
/// Ctrl-C are the module's own.
package struct PythonModule: Sendable {
    /// `auscult.alignment`.
    private let name: String
    private let interpreter: String
    private let environment: [String: String]

    /// - Parameters:
    ///   - name: of the module; it has a `__main__`.
    ///   - install: the command that brings it.
    /// - Throws: ``CommandError`` (`unavailable`) where there is no interpreter (`$AUSCULT_PYTHON`, else `python3` in `$PATH`), or
    ///   it does not find the module.
    package init(_ name: String, install: String, environment: [String: String]) throws {
        let named = environment["AUSCULT_PYTHON"] ?? ""
        guard let interpreter = programNamed(named.isEmpty ? "python3" : named, environment) else {
            let reason =
                named.isEmpty
                ? "there is no python3 in $PATH; $AUSCULT_PYTHON can name one"
                : "$AUSCULT_PYTHON is \(named), which is not in $PATH"
            throw CommandError(.unavailable, "this is a command of the Python client, and \(reason)")
        }
        (self.name, self.interpreter, self.environment) = (name, interpreter, environment)
        if let problem = try importProblem() {
            throw CommandError(
                .unavailable,
                """
                this is a command of the Python client, and \(interpreter) cannot import \(name): \(problem). To install it: \
                \(install); $AUSCULT_PYTHON names another interpreter
                """)
        }
    }

    /// Why the interpreter cannot import the module, in its own words; nil where it can.
    private func importProblem() throws -> String? {
        let process = Process()
        let words = Pipe()
        process.executableURL = URL(fileURLWithPath: interpreter)
        process.arguments = ["-c", "import \(name)"]
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = words
        do { try process.run() } catch {
            throw CommandError(.unavailable, "cannot start \(interpreter): \(error.localizedDescription)")
        }
        let said = String(decoding: words.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationReason != .exit || process.terminationStatus != 0 else { return nil }
        let last = said.split(separator: "\n").last.map { String($0.prefix(300)) }
        return last ?? "it ended with status \(process.terminationStatus)"
    }

    /// Becomes `python3 -m NAME ARGUMENTS`.
    /// - Parameter additions: to the environment.
    /// - Throws: ``CommandError`` (`unavailable`) where the system cannot start it; otherwise it does not come back.
    package func replaceProcess(_ arguments: [String], adding additions: [String: String]) throws -> Never {
        // What this program and its libraries made of signals is not the module's.
        for number in [SIGINT, SIGTERM, SIGPIPE] { signal(number, SIG_DFL) }
        var none = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, nil)
        let variables = environment.merging(additions) { $1 }.map { "\($0.key)=\($0.value)" }
        withNames([interpreter, "-m", name] + arguments) { arguments in
            withNames(variables) { _ = execve(interpreter, arguments, $0) }
        }
        throw CommandError(.unavailable, "cannot start \(interpreter): \(systemReason())")
    }

    private func withNames<Result>(
        _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let copies = texts.map { PathText.withName($0) { strdup($0) } }
        defer { for copy in copies { free(copy) } }
        return body(copies + [nil])
    }
}
