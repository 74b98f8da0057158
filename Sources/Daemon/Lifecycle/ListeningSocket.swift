import Files
import Foundation

/// A Unix socket that listens, and what keeps its place.
///
/// The descriptor is non-blocking and closed on exec; who accepts on it takes it over and closes it.
package struct ListeningSocket: Sendable {
    package let descriptor: Int32
    /// Where clients reach it.
    package let path: String
    /// Whether systemd opened it, and keeps it when this process ends.
    package let isActivated: Bool
    /// Held while the value lives.
    private let lock: InstanceLock?
    /// Which file it is, so that no other is removed.
    private let identity: FileIdentity?

    /// A socket that systemd passed, if there is one, else a new one at `socket`.
    ///
    /// To be called once, at the start of the process: it changes the process's umask for a moment and takes the
    /// variables of socket activation out of the environment.
    /// - Throws: ``Files/FileError``: what ``RuntimeFolder`` and ``InstanceLock`` throw; `cannotCreate` where something
    ///   that is no socket lies at the path; `unavailable` where another program serves there;
    ///   ``ServiceError`` (`invalidArgument`) where systemd passed something that is not one listening Unix socket.
    package static func open(at socket: SocketPath, backlog: Int32 = 128) throws -> ListeningSocket {
        let passed = try SocketActivation.take()
        guard passed.count <= 1 else {
            for socket in passed { close(socket.descriptor) }
            throw ServiceError(.invalidArgument, "systemd passed \(passed.count) sockets, expected one")
        }
        guard let passed = passed.first else { return try bind(to: socket, backlog: backlog) }
        return ListeningSocket(
            descriptor: passed.descriptor, path: passed.path ?? socket.path, isActivated: true,
            lock: nil, identity: nil)
    }

    /// Opens a new socket at `socket`, with mode 0600, in a folder of the user's own.
    package static func bind(to socket: SocketPath, backlog: Int32 = 128) throws -> ListeningSocket {
        try RuntimeFolder.prepare(for: socket)
        let lock = try InstanceLock(of: socket)
        try removeStale(socket)
        let descriptor = Foundation.socket(
            AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { throw FileError(.inputOutput, "cannot open a Unix socket: \(systemReason())") }
        do {
            // The mode must be right from the first moment, not after a chmod.
            let mask = umask(0o177)
            let bound = socket.withAddress { Foundation.bind(descriptor, $0, $1) }
            let reason = errno
            umask(mask)
            guard bound == 0 else {
                throw FileError(.cannotCreate, "cannot bind the socket \(socket): \(systemReason(reason))")
            }
            guard listen(descriptor, backlog) == 0 else {
                throw FileError(.inputOutput, "cannot listen on \(socket): \(systemReason())")
            }
            guard let identity = FileIdentity(ofSocketAt: socket.path) else { throw FileError.cannotRead(socket.path) }
            return ListeningSocket(
                descriptor: descriptor, path: socket.path, isActivated: false, lock: lock, identity: identity)
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// Takes the socket's file away, at the end; one that systemd or another process put there stays.
    package func removeFile() {
        guard let identity, FileIdentity(ofSocketAt: path) == identity else { return }
        unlink(path)
    }

    /// Removes the socket that a daemon which is gone left behind. Only under the lock.
    private static func removeStale(_ socket: SocketPath) throws {
        var status = stat()
        guard lstat(socket.path, &status) == 0 else {
            guard errno == ENOENT else { throw FileError.cannotRead(socket.path) }
            return
        }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw FileError(.cannotCreate, "\(socket) is there and is not a socket; it was left as it is")
        }
        // The lock is ours, so no daemon of ours is there; systemd or another program may still be.
        guard !hasListener(socket) else {
            throw FileError(.unavailable, "another program listens on \(socket)")
        }
        guard unlink(socket.path) == 0 else { throw FileError.cannotWrite(socket.path) }
    }

    private static func hasListener(_ socket: SocketPath) -> Bool {
        let probe = Foundation.socket(
            AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard probe >= 0 else { return false }
        defer { close(probe) }
        // EAGAIN: someone listens, and has no room for another connection.
        return socket.withAddress { connect(probe, $0, $1) } == 0 || errno == EAGAIN
    }
}

/// Which file lies at a path.
private struct FileIdentity: Equatable {
    let device: dev_t
    let inode: ino_t

    init?(ofSocketAt path: String) {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return nil }
        device = status.st_dev
        inode = status.st_ino
    }
}
