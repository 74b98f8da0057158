import Files
import Foundation

/// Who is at the other end of a Unix socket: what the kernel noted when it connected (`SO_PEERCRED`, unix(7)).
package struct PeerCredentials: Equatable, Sendable {
    package let pid: Int32
    package let uid: UInt32
    package let gid: UInt32

    package init(pid: Int32, uid: UInt32, gid: UInt32) {
        self.pid = pid
        self.uid = uid
        self.gid = gid
    }

    /// - Throws: ``ServiceError`` (`inputOutput`) where `descriptor` is no connected Unix socket.
    package init(of descriptor: Int32) throws {
        // `struct ucred`, which Glibc's module hides behind _GNU_SOURCE: three numbers of 32 bits.
        var credentials: (pid: Int32, uid: UInt32, gid: UInt32) = (0, 0, 0)
        var size = socklen_t(MemoryLayout.size(ofValue: credentials))
        guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0,
            Int(size) == MemoryLayout.size(ofValue: credentials)
        else {
            throw ServiceError(.inputOutput, "cannot read the credentials of the socket's other end: \(systemReason())")
        }
        self.init(pid: credentials.pid, uid: credentials.uid, gid: credentials.gid)
    }
}

/// Who may speak to the daemon: its own user, root, and those that the configuration names.
package struct PeerPolicy: Equatable, Sendable {
    private let uids: Set<UInt32>

    package init(owner: UInt32 = geteuid(), alsoAllowing uids: [UInt32] = []) {
        self.uids = Set(uids + [owner, 0])
    }

    package func allows(_ peer: PeerCredentials) -> Bool { uids.contains(peer.uid) }
}
