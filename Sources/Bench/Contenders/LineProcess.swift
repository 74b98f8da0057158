import Foundation

/// A program that answers lines with lines: one is written to its standard input, one comes from its standard output.
///
/// It is held alive between lines, with whatever it has loaded. Used from one thread.
public final class LineProcess {
    public let name: String
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private let errors: URL
    private var buffered: [UInt8] = []
    private var isOver = false

    /// - Parameters:
    ///   - folder: where the program's complaints go.
    ///   - environment: added to this process's own.
    /// - Throws: ``BenchError`` where the program cannot be started.
    public init(
        _ name: String, program: String, arguments: [String], environment: [String: String] = [:], folder: String
    ) throws {
        self.name = name
        errors = URL(fileURLWithPath: folder).appendingPathComponent("errors-\(UUID().uuidString).txt")
        _ = FileManager.default.createFile(atPath: errors.path, contents: nil)
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = input
        process.standardOutput = output
        // A program that goes leaves a broken pipe, which is told as an error and not as a signal.
        signal(SIGPIPE, SIG_IGN)
        do {
            process.standardError = try FileHandle(forWritingTo: errors)
            try process.run()
        } catch {
            throw BenchError("\(name): cannot start \(program): \(error.localizedDescription)")
        }
        // Only the child writes here; otherwise its end would never be seen.
        try? output.fileHandleForWriting.close()
        try? input.fileHandleForReading.close()
    }

    deinit { close() }

    /// Writes `line` and waits for the answer.
    /// - Throws: ``BenchError`` where the program ends first, or says nothing for `patience` seconds; it is then gone.
    public func ask(_ line: String, patience: Double) throws -> String {
        guard !isOver else { throw BenchError("\(name) has ended") }
        let bytes = Array((line + "\n").utf8)
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { piece in
                write(input.fileHandleForWriting.fileDescriptor, piece.baseAddress, piece.count)
            }
            guard count > 0 else {
                if count < 0, errno == EINTR { continue }
                throw gone("ended")
            }
            written += count
        }
        return try answer(until: ContinuousClock.now + .seconds(patience), patience)
    }

    private func answer(until deadline: ContinuousClock.Instant, _ patience: Double) throws -> String {
        while true {
            if let end = buffered.firstIndex(of: UInt8(ascii: "\n")) {
                defer { buffered.removeFirst(end + 1) }
                return String(decoding: buffered[..<end], as: UTF8.self)
            }
            let left = (deadline - ContinuousClock.now) / .milliseconds(1)
            var wait = pollfd(
                fd: output.fileHandleForReading.fileDescriptor, events: Int16(POLLIN), revents: 0)
            let ready = left > 0 ? poll(&wait, 1, Int32(min(left + 1, 1e6))) : 0
            if ready < 0, errno == EINTR { continue }
            if ready == 0, left > 0 { continue }
            guard ready > 0 else { throw gone("said nothing for \(Int(patience)) s") }
            var piece = [UInt8](repeating: 0, count: 1 << 16)
            let count = read(wait.fd, &piece, piece.count)
            guard count > 0 else { throw gone("ended") }
            buffered += piece[..<count]
        }
    }

    /// Ends it, and says why with the last line that it complained in.
    private func gone(_ what: String) -> BenchError {
        close(patience: 0.2)
        let said = (try? String(contentsOf: errors, encoding: .utf8)) ?? ""
        let last = said.split(whereSeparator: \.isNewline).last.map { ": \($0.prefix(300))" } ?? ""
        let status = process.terminationReason == .uncaughtSignal ? "signal" : "status"
        return BenchError("\(name) \(what) (\(status) \(process.terminationStatus))\(last)")
    }

    /// Ends the program and waits for it.
    /// - Parameter patience: seconds that it has to end by itself, once it has no more input.
    public func close(patience: Double = 2) {
        guard !isOver else { return }
        isOver = true
        try? input.fileHandleForWriting.close()
        for _ in 0..<Int(patience * 100) where process.isRunning { usleep(10_000) }
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
    }
}
