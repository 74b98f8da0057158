import Files
import Foundation

/// Tells the service manager how the daemon is: datagrams to `$NOTIFY_SOCKET`, by the protocol of sd_notify(3) and
/// without its library. Without that variable every call does nothing.
package final class SystemdNotifier: Sendable {
    /// How often ``keepAlive()`` says that the process lives: half of what the manager waits for. Nil where it does
    /// not watch.
    package let watchdogInterval: Duration?
    private let socket: FileDescriptor?
    /// The address of the manager: a path, or a zero byte and a name of the abstract namespace.
    private let address: [UInt8]

    /// - Throws: ``ServiceError`` (`invalidArgument`) where a variable makes no sense.
    package init(environment: [String: String] = ProcessInfo.processInfo.environment) throws {
        watchdogInterval = try Self.watchdogInterval(environment)
        guard let name = environment["NOTIFY_SOCKET"], !name.isEmpty else {
            socket = nil
            address = []
            return
        }
        guard name.hasPrefix("/") || name.hasPrefix("@"), name.utf8.count > 1,
            name.utf8.count <= SocketPath.longest
        else {
            throw ServiceError(
                .invalidArgument,
                "NOTIFY_SOCKET is '\(name)', expected an absolute path or '@' and a name, "
                    + "at most \(SocketPath.longest) bytes")
        }
        address = name.hasPrefix("@") ? [0] + name.utf8.dropFirst() : Array(name.utf8)
        let descriptor = Foundation.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else {
            throw ServiceError(.inputOutput, "cannot open a Unix socket: \(systemReason())")
        }
        socket = FileDescriptor(owning: descriptor, path: name)
        // A manager that does not read must not stop the daemon.
        var limit = timeval(tv_sec: 2, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    /// The daemon serves.
    package func ready(status: String) throws { try send(["READY=1", "STATUS=\(Self.line(status))"]) }

    /// The daemon ends, of its own will or because it was told to.
    package func stopping(status: String) throws { try send(["STOPPING=1", "STATUS=\(Self.line(status))"]) }

    /// The daemon lives.
    package func watchdog() throws { try send(["WATCHDOG=1"]) }

    /// Says in time, until the task is cancelled, that the daemon lives; returns at once where nobody watches.
    package func keepAlive() async throws {
        guard let watchdogInterval, socket != nil else { return }
        while !Task.isCancelled {
            try watchdog()
            try await Task.sleep(for: watchdogInterval)
        }
    }

    private func send(_ fields: [String]) throws {
        guard let socket else { return }
        let text = Array(fields.joined(separator: "\n").utf8)
        let sent = withUnixAddress(address) { address, size in
            sendto(socket.number, text, text.count, Int32(MSG_NOSIGNAL), address, size)
        }
        guard sent == text.count else {
            throw ServiceError(.inputOutput, "cannot notify the service manager at \(socket.path): \(systemReason())")
        }
    }

    /// A line break would begin another field.
    private static func line(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    private static func watchdogInterval(_ environment: [String: String]) throws -> Duration? {
        guard let text = environment["WATCHDOG_USEC"], !text.isEmpty else { return nil }
        guard let microseconds = Int64(text), microseconds > 0 else {
            throw ServiceError(.invalidArgument, "WATCHDOG_USEC is '\(text)', expected a positive number")
        }
        if let owner = environment["WATCHDOG_PID"], !owner.isEmpty, Int32(owner) != getpid() { return nil }
        return .microseconds(microseconds / 2)
    }
}
