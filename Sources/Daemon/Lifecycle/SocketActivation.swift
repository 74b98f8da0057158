import Files
import Foundation

/// Listening sockets that systemd opened and passed on, by its protocol (sd_listen_fds(3)) and without its library:
/// `LISTEN_PID` says whom they are for, `LISTEN_FDS` how many there are from descriptor 3 on, `LISTEN_FDNAMES` their
/// names with colons between.
package enum SocketActivation {
    package struct Socket: Equatable, Sendable {
        /// Non-blocking and closed on exec; the caller's to close.
        package let descriptor: Int32
        package let name: String
        /// The path that it is bound to.
        package let path: String?

        package init(descriptor: Int32, name: String, path: String?) {
            self.descriptor = descriptor
            self.name = name
            self.path = path
        }
    }

    /// The most that are looked at, so that a wrong number cannot make the process touch descriptors by the million.
    private static let most = 64

    /// Takes the sockets over, and the variables out of the environment, so that no child takes them for its own.
    /// - Parameters:
    ///   - environment: the process's; what it says for another process is not for this one.
    ///   - first: systemd's is 3.
    /// - Throws: ``ServiceError`` (`invalidArgument`) where a variable makes no sense or a descriptor is not a listening
    ///   Unix stream socket.
    package static func take(
        environment: [String: String] = ProcessInfo.processInfo.environment, first: Int32 = 3
    ) throws -> [Socket] {
        for variable in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { unsetenv(variable) }
        guard let owner = environment["LISTEN_PID"], let number = environment["LISTEN_FDS"] else { return [] }
        guard let pid = Int32(owner) else {
            throw ServiceError(.invalidArgument, "LISTEN_PID is '\(owner)', expected a process's number")
        }
        guard pid == getpid() else { return [] }
        guard let count = Int32(number), (0...Int32(most)).contains(count) else {
            throw ServiceError(.invalidArgument, "LISTEN_FDS is '\(number)', expected a number from 0 to \(most)")
        }
        let names = (environment["LISTEN_FDNAMES"] ?? "").split(separator: ":", omittingEmptySubsequences: false)
        return try (0..<count).map { index in
            let name = Int(index) < names.count && !names[Int(index)].isEmpty ? String(names[Int(index)]) : "unknown"
            return try socket(first + index, name)
        }
    }

    private static func socket(_ descriptor: Int32, _ name: String) throws -> Socket {
        func refuse(_ reason: String) -> ServiceError {
            ServiceError(.invalidArgument, "descriptor \(descriptor) that systemd passed as '\(name)' \(reason)")
        }
        guard let domain = option(SO_DOMAIN, of: descriptor) else { throw refuse("is no socket: \(systemReason())") }
        guard domain == AF_UNIX else { throw refuse("is not a Unix socket") }
        guard option(SO_TYPE, of: descriptor) == Int32(SOCK_STREAM.rawValue) else {
            throw refuse("is not a stream socket; expected ListenStream=")
        }
        guard option(SO_ACCEPTCONN, of: descriptor) == 1 else { throw refuse("does not listen; expected Accept=no") }
        guard fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0,
            fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) == 0
        else { throw refuse("cannot be set up: \(systemReason())") }
        return Socket(descriptor: descriptor, name: name, path: path(of: descriptor))
    }

    private static func option(_ option: Int32, of descriptor: Int32) -> Int32? {
        var value: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor, SOL_SOCKET, option, &value, &size) == 0 ? value : nil
    }

    private static func path(of descriptor: Int32) -> String? {
        var address = sockaddr_un()
        var size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
        }
        guard result == 0 else { return nil }
        return withUnsafeBytes(of: address.sun_path) { bytes in
            let path = bytes.prefix { $0 != 0 }
            return path.isEmpty ? nil : String(decoding: path, as: UTF8.self)
        }
    }
}
