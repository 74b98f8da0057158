import Files
import Foundation

/// Whether somebody listens at a socket's path.
package enum SocketProbe {
    case listening
    /// There is no such file, or one that a daemon left behind when it was killed.
    case nobody
    /// The system does not let us, for this reason.
    case refused(Int32)

    package init(_ path: SocketPath) {
        self =
            Self.connected(path) { _ in
                .listening
            } failed: {
                $0 == ENOENT || $0 == ECONNREFUSED ? .nobody : .refused($0)
            }
    }

    /// The process that listens there, or did when it handed the socket on; nil where there is none.
    static func listener(at path: SocketPath) -> pid_t? {
        connected(path) { descriptor in
            // `struct ucred`, which Glibc's module hides behind _GNU_SOURCE: three numbers of 32 bits.
            var credentials: (pid: pid_t, uid: UInt32, gid: UInt32) = (0, 0, 0)
            var size = socklen_t(MemoryLayout.size(ofValue: credentials))
            let result = getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size)
            return result == 0 && credentials.pid > 0 ? credentials.pid : nil
        } failed: { _ in
            nil
        }
    }

    private static func connected<Result>(
        _ path: SocketPath, _ body: (Int32) -> Result, failed: (Int32) -> Result
    ) -> Result {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return failed(errno) }
        defer { close(descriptor) }
        return path.withAddress { connect(descriptor, $0, $1) } == 0 ? body(descriptor) : failed(errno)
    }
}
