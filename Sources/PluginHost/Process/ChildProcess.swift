import CDescriptors
import Files
import Foundation
import Synchronization

/// A process that was started, with its ends of the wall. One thread at a time uses it, ``cancel()`` aside.
final class ChildProcess {
    /// How it ended.
    struct Exit: Sendable {
        /// -1 where a signal ended it.
        var code: Int32
        /// 0 where it ended itself.
        var signal: Int32
        /// The most memory that it had in use, bytes.
        var mostMemory: UInt64
    }

    let id: pid_t
    let socket: FileDescriptor
    /// Readable when it has ended.
    let ended: FileDescriptor
    let output: FileDescriptor
    let errors: FileDescriptor
    private(set) var exit: Exit?

    /// - Parameter cancelled: the reading end of a pipe in which a byte says that the run is to end.
    /// - Throws: ``PluginError`` (`system`).
    init(executable: String, limits: PluginLimits, cancelled: FileDescriptor) throws {
        var sockets: [Int32] = [-1, -1]
        guard auscult_socket_pair(&sockets) == 0 else { throw Self.failure("no socket") }
        socket = FileDescriptor(owning: sockets[0], path: "a plugin's socket")
        let theirs = FileDescriptor(owning: sockets[1], path: "a plugin's socket")
        let (output, theirOutput) = try Self.pipe()
        let (errors, theirErrors) = try Self.pipe()
        self.output = output
        self.errors = errors

        let arguments = [
            executable, String(getpid()), String(limits.memoryBytes), String(limits.cpuSeconds),
            String(limits.openFiles),
        ]
        let environment = HostExecutable.environment()
        let outcome = Mutex<(reason: Int32, id: pid_t)>((0, 0))
        try ProcessStarter.shared.run {
            outcome.withLock { outcome in
                withCStrings(arguments) { arguments in
                    withCStrings(environment) { environment in
                        outcome.reason = auscult_spawn(
                            executable, arguments, environment, theirOutput.number, theirErrors.number, theirs.number,
                            cancelled.number, &outcome.id)
                    }
                }
            }
        }
        let (reason, id) = outcome.withLock { $0 }
        guard reason == 0 else {
            throw PluginError(.system, "cannot start \(executable): \(systemReason(reason))")
        }
        self.id = id
        let number = auscult_process_descriptor(id)
        guard number >= 0 else {
            let problem = Self.failure("no descriptor of its process")
            Self.kill(id)
            Self.await(id)
            throw problem
        }
        ended = FileDescriptor(owning: number, path: "a plugin's process")
    }

    deinit { if exit == nil { _ = end() } }

    /// Kills it, where it has not ended, with all that it started, and takes its exit: no zombie stays.
    func end() -> Exit {
        if let exit { return exit }
        // Before it is reaped, nobody else can have its number.
        Self.kill(id)
        let exit = Self.await(id)
        self.exit = exit
        return exit
    }

    /// The process that we know is the plugin's keeper (``CConfinement``), which ends the plugin and all that it left, in whatever session.
    private static func kill(_ id: pid_t) {
        _ = Foundation.kill(id, SIGTERM)
        // Where the plugin has stopped it.
        _ = Foundation.kill(id, SIGCONT)
    }

    /// How long the keeper has; without one, the processes of the plugin's own session are all that can be reached.
    private static let keeperPatience: Int32 = 5000

    @discardableResult
    private static func await(_ id: pid_t) -> Exit {
        var exit = Exit(code: -1, signal: 0, mostMemory: 0)
        var descriptor = pollfd(fd: auscult_process_descriptor(id), events: Int16(POLLIN), revents: 0)
        defer { if descriptor.fd >= 0 { close(descriptor.fd) } }
        if descriptor.fd < 0 || poll(&descriptor, 1, keeperPatience) <= 0 {
            // Its number is its session's and its group's too.
            _ = Foundation.kill(-id, SIGKILL)
            _ = Foundation.kill(id, SIGKILL)
        }
        while auscult_process_reap(id, &exit.code, &exit.signal, &exit.mostMemory) != 0 {
            // Killed already, so this takes as long as the kernel takes.
            poll(&descriptor, 1, descriptor.fd >= 0 ? 1000 : 1)
        }
        return exit
    }

    private static func pipe() throws -> (reading: FileDescriptor, writing: FileDescriptor) {
        var ends: [Int32] = [-1, -1]
        guard auscult_pipe(&ends) == 0 else { throw failure("no pipe") }
        return (FileDescriptor(owning: ends[0], path: "a pipe"), FileDescriptor(owning: ends[1], path: "a pipe"))
    }

    private static func failure(_ what: String) -> PluginError {
        PluginError(.system, "a plugin's process cannot be started: \(what): \(systemReason())")
    }
}

/// Calls `body` with C's array of C's strings, ended with NULL.
package func withCStrings<R>(
    _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> R
) -> R {
    var copies = strings.map { strdup($0) }
    copies.append(nil)
    defer { for copy in copies { free(copy) } }
    return copies.withUnsafeBufferPointer { buffer in
        withExtendedLifetime(buffer) { body(buffer.baseAddress.unsafelyUnwrapped) }
    }
}

extension ChildProcess.Exit {
    /// "crashed with SIGSEGV", "exited with code 3"; with the limit's name where it is known to be the reason.
    func sentence(_ limits: PluginLimits) -> String {
        let names: [Int32: String] = [
            SIGSEGV: "SIGSEGV", SIGABRT: "SIGABRT", SIGBUS: "SIGBUS", SIGILL: "SIGILL", SIGFPE: "SIGFPE",
            SIGKILL: "SIGKILL", SIGTERM: "SIGTERM", SIGTRAP: "SIGTRAP", SIGXCPU: "SIGXCPU", SIGPIPE: "SIGPIPE",
            SIGINT: "SIGINT", SIGHUP: "SIGHUP", SIGQUIT: "SIGQUIT", SIGSYS: "SIGSYS", SIGALRM: "SIGALRM",
            SIGXFSZ: "SIGXFSZ",
        ]
        guard signal != 0 else { return code >= 0 ? "exited with code \(code)" : "ended for an unknown reason" }
        let name = names[signal] ?? "signal \(signal)"
        if signal == SIGXCPU { return "was ended with SIGXCPU: it used its \(limits.cpuSeconds) s of processor time" }
        if signal == SIGSYS { return "crashed with SIGSYS: it made a system call that is refused to plugins" }
        let crashed = "crashed with \(name)"
        // A refused allocation ends in a null pointer or an abort; nothing but the memory in use tells of it.
        let memoryEnds = signal == SIGSEGV || signal == SIGABRT || signal == SIGILL || signal == SIGTRAP
        if memoryEnds, mostMemory > UInt64(clamping: limits.memoryBytes) / 10 * 6 {
            return crashed + ", probably because its memory was used up: \(mostMemory >> 20) MiB in use, "
                + "\(limits.memoryBytes >> 20) MiB of address space allowed"
        }
        return crashed
    }
}
