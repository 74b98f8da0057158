import Files
import Foundation

/// Says that this process is the one that serves a socket. Held as long as the value lives, and released by the kernel
/// however the process ends.
///
/// The lock is `flock` on a file of its own beside the socket. The file is never removed: another process may have
/// opened it already, and would then hold a lock on a file that nobody else sees. The number written into it is for
/// people, and for the message of a second daemon; nothing acts on it.
package final class InstanceLock: Sendable {
    private let file: FileDescriptor

    /// The lock file of `socket`.
    package static func path(of socket: SocketPath) -> String { socket.path + ".lock" }

    /// - Throws: ``Files/FileError``: `unavailable` where another daemon holds it, `cannotCreate` where the file cannot
    ///   be made, `permissionDenied` where it is no plain file of this user.
    package init(of socket: SocketPath) throws {
        let path = Self.path(of: socket)
        let descriptor = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0o600)
        guard descriptor >= 0 else { throw FileError.cannotWrite(path) }
        file = FileDescriptor(owning: descriptor, path: path)
        var status = stat()
        guard fstat(file.number, &status) == 0 else { throw FileError.cannotRead(path) }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_uid == geteuid() else {
            throw FileError(.permissionDenied, "the lock \(path) is not a plain file of the user \(geteuid())")
        }
        guard try file.lock(waiting: false) else {
            let holder = Self.holder(file).map { " (pid \($0))" } ?? ""
            throw FileError(.unavailable, "another auscultd\(holder) serves \(socket)")
        }
        try file.truncate(to: 0)
        try "\(getpid())\n".utf8CString.dropLast().withUnsafeBytes(file.write)
    }

    /// Lets another process have it, before the value goes.
    package func release() { file.unlock() }

    /// What the holder wrote, if it is a number.
    private static func holder(_ file: FileDescriptor) -> Int32? {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = pread(file.number, &bytes, bytes.count, 0)
        guard count > 0 else { return nil }
        return Int32(
            String(decoding: bytes.prefix(count), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
    }
}
