import Files
import Foundation
import Synchronization

/// Starts a daemon that outlives the command.
package struct DaemonLauncher: Sendable {
    /// Seconds without a client or a job after which a daemon leaves that was started on demand.
    static let idleExit = 600

    package let environment: [String: String]
    /// `$AUSCULT_DAEMON`, else `auscultd` beside this program, else in `$PATH`; nil where there is none.
    package let program: String?
    private let log: DaemonLog?

    package init(environment: [String: String]) {
        self.environment = environment
        program = Self.find(environment)
        log = DaemonLog(environment: environment)
    }

    private static func find(_ environment: [String: String]) -> String? {
        if let named = environment["AUSCULT_DAEMON"], !named.isEmpty {
            return programNamed(named, environment)
        }
        let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        if let own {
            let beside = (own as NSString).deletingLastPathComponent + "/auscultd"
            if access(beside, X_OK) == 0 { return beside }
        }
        return programInPath("auscultd", environment)
    }

    /// Starts `auscultd --socket PATH --idle-exit 600` in a session of its own, with nothing of ours but the
    /// environment: no terminal, no descriptors, no folder that could not be unmounted.
    /// - Throws: ``CommandError`` (`unavailable`) where the system cannot start it.
    func launch(at socket: SocketPath) throws -> LaunchedDaemon {
        guard let program else {
            let named = environment["AUSCULT_DAEMON"] ?? ""
            let reason =
                named.isEmpty
                ? "auscultd lies neither beside this program nor in $PATH; $AUSCULT_DAEMON can name it"
                : "$AUSCULT_DAEMON is \(named), which is not in $PATH"
            throw CommandError(.unavailable, "no daemon listens at \(socket), and none can be started: \(reason)")
        }
        var arguments = [program, "--socket", socket.path]
        // A flag counts more than the environment, where somebody may have said otherwise.
        if environment["AUSCULTD_IDLE_EXIT"] == nil { arguments += ["--idle-exit", String(Self.idleExit)] }
        let offset = log?.size ?? 0
        var pid: pid_t = 0
        let result = withAttributes { actions, attributes in
            withStrings(arguments) { arguments in
                withStrings(childEnvironment) { posix_spawn(&pid, program, &actions, &attributes, arguments, $0) }
            }
        }
        guard result == 0 else {
            throw CommandError(.unavailable, "cannot start the daemon \(program): \(systemReason(result))")
        }
        return LaunchedDaemon(program: program, pid: pid, log: log, offset: offset)
    }

    /// Without what a service manager told this process about itself.
    private var childEnvironment: [String] {
        let ours = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"]
        return environment.filter { !ours.contains($0.key) }.map { "\($0.key)=\($0.value)" }
    }

    private func withAttributes<Result>(
        _ body: (inout posix_spawn_file_actions_t, inout posix_spawnattr_t) -> Result
    ) -> Result {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        let append = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW
        posix_spawn_file_actions_addopen(&actions, 2, log?.path ?? "/dev/null", append, 0o600)
        addGNUActions(&actions)
        // Signals that this program ignores or blocks are none of the daemon's business.
        var signals = sigset_t()
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        let newSession: Int32 = 0x80  // POSIX_SPAWN_SETSID, which Glibc's module hides behind _GNU_SOURCE
        let flags = newSession | Int32(POSIX_SPAWN_SETSIGDEF) | Int32(POSIX_SPAWN_SETSIGMASK)
        posix_spawnattr_setflags(&attributes, Int16(truncatingIfNeeded: flags))
        return body(&actions, &attributes)
    }

    /// Closes what this program has open or was left, and leaves its folder.
    ///
    /// The two functions are glibc's (2.34 and 2.29), and its module hides them behind _GNU_SOURCE.
    private func addGNUActions(_ actions: inout posix_spawn_file_actions_t) {
        typealias CloseFrom = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32
        typealias ChangeFolder =
            @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, UnsafePointer<CChar>) -> Int32
        if let symbol = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np") {
            _ = unsafeBitCast(symbol, to: CloseFrom.self)(&actions, 3)
        }
        if let symbol = dlsym(nil, "posix_spawn_file_actions_addchdir_np") {
            _ = unsafeBitCast(symbol, to: ChangeFolder.self)(&actions, "/")
        }
    }

    private func withStrings<Result>(
        _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let copies = strings.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        return body(copies + [nil])
    }
}

/// A daemon that this program started.
final class LaunchedDaemon: Sendable {
    let program: String
    let pid: pid_t
    private let log: DaemonLog?
    /// Where in the log its lines begin.
    private let offset: Int
    private let status = Mutex<Int32?>(nil)

    init(program: String, pid: pid_t, log: DaemonLog?, offset: Int) {
        self.program = program
        self.pid = pid
        self.log = log
        self.offset = offset
    }

    /// Somebody has to fetch the status of a child that ends, or it stays in the table of processes for as long as this program runs.
    deinit {
        guard status.withLock({ $0 == nil }) else { return }
        Thread.detachNewThread { [pid] in
            while waitpid(pid, nil, 0) < 0, errno == EINTR {}
        }
    }

    /// What it ended with, 128 + the number where a signal ended it; nil while it runs.
    func exitStatus() -> Int32? {
        status.withLock { status in
            if let status { return status }
            var raw: Int32 = 0
            guard waitpid(pid, &raw, WNOHANG) == pid else { return nil }
            let signal = raw & 0x7F
            status = signal == 0 ? raw >> 8 & 0xFF : 128 + signal
            return status
        }
    }

    /// What it last said.
    var lastLines: [String] { log?.lines(after: offset) ?? [] }
}
