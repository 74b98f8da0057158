import Glibc

/// A program that is run for its output, and ended with this object. One thread uses it.
final class ChildProgram {
    private var process: pid_t?
    private let output: Int32
    private let errors: Int32
    private var hasErrors = true
    private var said: [UInt8] = []

    /// Of what the program complains of, this much is kept.
    private static let longestComplaint = 4096

    enum Reading {
        case bytes([UInt8])
        case end
        /// Nothing came in time.
        case nothing
    }

    /// - Parameter descriptor3: a file that the program finds under the number 3.
    /// - Throws: ``AudioError`` (`unavailable`) where it cannot be started.
    init(_ program: String, _ arguments: [String], descriptor3: Int32, name: String) throws {
        let out = try Self.pipe(name), err = try Self.pipe(name)
        (output, errors) = (out.reading, err.reading)
        defer {
            close(out.writing)
            close(err.writing)
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, out.writing, 1)
        posix_spawn_file_actions_adddup2(&actions, err.writing, 2)
        posix_spawn_file_actions_adddup2(&actions, descriptor3, 3)
        var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) }
        words.append(nil)
        defer { for word in words { free(word) } }
        var process = pid_t()
        let problem = posix_spawn(&process, program, &actions, nil, words, environ)
        guard problem == 0 else {
            throw AudioError(.unavailable, "\(name): \(program) cannot be started: \(SystemCall.message(problem))")
        }
        self.process = process
    }

    deinit {
        if let process {
            kill(process, SIGKILL)
            waitpid(process, nil, 0)
        }
        close(output)
        close(errors)
    }

    private static func pipe(_ name: String) throws -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else {
            throw AudioError(.unavailable, "\(name): cannot make a pipe: \(SystemCall.message(errno))")
        }
        // A low number would be overwritten by those that the program is given.
        let moved = ends.map { end in
            let high = fcntl(end, F_DUPFD_CLOEXEC, 10)
            guard high >= 0 else { return end }
            close(end)
            return high
        }
        return (moved[0], moved[1])
    }

    /// The next bytes of its output, and what it complains of meanwhile.
    func read(patience: Double) throws -> Reading {
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            var waits = [
                pollfd(fd: output, events: Int16(POLLIN), revents: 0),
                pollfd(fd: hasErrors ? errors : -1, events: Int16(POLLIN), revents: 0),
            ]
            let ready = poll(&waits, 2, Int32(patience * 1000))
            if ready < 0, errno == EINTR { continue }
            if ready == 0 { return .nothing }
            if waits[1].revents != 0 { hear() }
            guard waits[0].revents != 0 else { continue }
            let count = SystemCall.retrying { Glibc.read(output, &bytes, bytes.count) }
            return count > 0 ? .bytes(Array(bytes[..<count])) : .end
        }
    }

    private func hear() {
        var bytes = [UInt8](repeating: 0, count: Self.longestComplaint)
        let count = SystemCall.retrying { Glibc.read(errors, &bytes, bytes.count) }
        guard count > 0 else {
            hasErrors = false
            return
        }
        said += bytes[..<min(count, Self.longestComplaint - said.count)]
    }

    /// Its exit status; nil where a signal ended it, or it does not end.
    func wait(patience: Double) -> Int32? {
        while hasErrors {
            var wait = [pollfd(fd: errors, events: Int16(POLLIN), revents: 0)]
            guard poll(&wait, 1, Int32(patience * 1000)) > 0 else { return nil }
            hear()
        }
        guard let process else { return nil }
        var status: Int32 = 0
        for _ in 0..<max(Int(patience * 100), 1) {
            if waitpid(process, &status, WNOHANG) == process {
                self.process = nil
                return status & 0x7F == 0 ? status >> 8 & 0xFF : nil
            }
            usleep(10_000)
        }
        return nil
    }

    /// The first thing that it said, on one line.
    var complaint: String {
        let lines = String(decoding: said, as: UTF8.self).split(whereSeparator: \.isNewline)
        let line = lines.first.map(String.init) ?? ""
        return String(line.unicodeScalars.map { $0.value < 0x20 ? " " : Character($0) })
    }
}
