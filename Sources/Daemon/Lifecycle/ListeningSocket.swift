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
    /// To be called once, at the start of the process, as it takes the variables of socket activation out of the
    /// environment.
    /// - Parameter isShared: whether other users are to reach the socket; ``PeerPolicy`` then decides about each.
    /// - Throws: ``Files/FileError``: what ``RuntimeFolder`` and ``InstanceLock`` throw; `cannotCreate` where something
    ///   that is no socket lies at the path; `unavailable` where another program serves there;
    ///   ``ServiceError`` (`invalidArgument`) where systemd passed something that is not one listening Unix socket.
    package static func open(at socket: SocketPath, isShared: Bool = false) throws -> ListeningSocket {
        let passed = try SocketActivation.take()
        guard passed.count <= 1 else {
            for socket in passed { close(socket.descriptor) }
            throw ServiceError(.invalidArgument, "systemd passed \(passed.count) sockets, expected one")
        }
        guard let passed = passed.first else { return try bind(to: socket, isShared: isShared) }
        return ListeningSocket(
            descriptor: passed.descriptor, path: passed.path ?? socket.path, isActivated: true,
            lock: nil, identity: nil)
    }

    /// Opens a new socket at `socket`, in a folder of the user's own. Both are for the user alone, with modes 0600 and
    /// 0700, unless they are shared: then 0666 and 0711.
    /// - Parameter takesLock: whether this process is to be the only one that serves there. A socket beside one that is
    ///   locked needs none of its own.
    package static func bind(
        to socket: SocketPath, isShared: Bool = false, takesLock: Bool = true
    ) throws -> ListeningSocket {
        try RuntimeFolder.prepare(for: socket, mode: isShared ? 0o711 : 0o700)
        let lock = takesLock ? try InstanceLock(of: socket) : nil
        try removeStale(socket)
        let descriptor = try unixSocket()
        do {
            // Linux gives the file the mode that the descriptor has, less the umask: right from the first moment, and
            // unlike a change of the umask without a word to the other threads.
            guard fchmod(descriptor, 0o600) == 0 else { throw FileError.cannotWrite(socket.path) }
            guard socket.withAddress({ Foundation.bind(descriptor, $0, $1) }) == 0 else {
                throw FileError(.cannotCreate, "cannot bind the socket \(socket): \(systemReason())")
            }
            guard let identity = FileIdentity(ofSocketAt: socket.path) else { throw FileError.cannotRead(socket.path) }
            guard chmod(socket.path, isShared ? 0o666 : 0o600) == 0 else { throw FileError.cannotWrite(socket.path) }
            // Pending connections: more than the daemon has at a time, so that a burst of clients waits and is not refused.
            guard listen(descriptor, 128) == 0 else {
                throw FileError(.inputOutput, "cannot listen on \(socket): \(systemReason())")
            }
            return ListeningSocket(
                descriptor: descriptor, path: socket.path, isActivated: false, lock: lock, identity: identity)
        } catch {
            close(descriptor)
            throw error
        }
    }

    private static func unixSocket() throws -> Int32 {
        let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
        let descriptor = Foundation.socket(AF_UNIX, Int32(kind), 0)
        guard descriptor >= 0 else { throw FileError(.inputOutput, "cannot open a Unix socket: \(systemReason())") }
        return descriptor
    }

    /// Takes the socket's file away, at the end; one that systemd or another process put there stays.
    ///
    /// To be called while the descriptor is open: as long as it is, the file system gives its inode to no other file,
    /// and one that was put there since can be told apart.
    package func removeFile() {
        guard let identity, FileIdentity(ofSocketAt: path) == identity else { return }
        unlink(path)
    }

    /// Gives the place up: the file goes, and another daemon may serve there while this one finishes what runs.
    package func leave() {
        removeFile()
        lock?.release()
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
        // Where the lock is ours, no daemon of ours is there; systemd or another program may still be.
        guard try !hasListener(socket) else {
            throw FileError(.unavailable, "another program listens on \(socket)")
        }
        guard unlink(socket.path) == 0 || errno == ENOENT else { throw FileError.cannotWrite(socket.path) }
    }

    private static func hasListener(_ socket: SocketPath) throws -> Bool {
        let probe = try unixSocket()
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
