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
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else {
            self = .refused(errno)
            return
        }
        defer { close(descriptor) }
        let result = path.withAddress { connect(descriptor, $0, $1) }
        self = result == 0 ? .listening : errno == ENOENT || errno == ECONNREFUSED ? .nobody : .refused(errno)
    }
}
