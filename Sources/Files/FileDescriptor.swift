import Foundation

/// An open file descriptor that closes itself.
package final class FileDescriptor: Sendable {
    package let number: Int32
    /// What messages call it.
    package let path: String

    /// To write, it waits for nobody: a pipe without a reader cannot be written to.
    /// - Throws: ``FileError`` (`notFound`, `cannotCreate`, `inputOutput`) where the system refuses.
    package init(_ path: String, _ flags: Int32, mode: mode_t = 0o644) throws {
        let writes = flags & (O_WRONLY | O_RDWR) != 0
        let number = PathText.withName(path) {
            open($0, flags | (writes ? O_NONBLOCK : 0) | O_NOCTTY | O_CLOEXEC, mode)
        }
        guard number >= 0 else { throw writes ? FileError.cannotWrite(path) : FileError.cannotRead(path) }
        self.number = number
        self.path = path
    }

    /// Opens a regular file to read it, and nothing else: a pipe or a device may keep whoever opens it waiting for as long as
    /// nobody writes to it. Every path that a client names is opened so; what is no regular file, clients upload.
    /// - Parameter name: what messages call it; nil for the path.
    /// - Throws: ``FileError``: `invalidArgument` for what is no regular file; `notFound`, `inputOutput` where the system
    ///   refuses.
    package convenience init(reading path: String, name: String? = nil) throws {
        let name = name ?? path
        // Without waiting for a pipe's writer; to reading a regular file it makes no difference.
        let number = PathText.withName(path) { open($0, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) }
        guard number >= 0 else {
            // A socket cannot be opened at all.
            throw errno == ENXIO ? FileError.notRegular(name, S_IFSOCK) : FileError.cannotRead(name)
        }
        self.init(owning: number, path: name)
        var status = stat()
        guard fstat(number, &status) == 0 else { throw FileError.cannotRead(name) }
        let kind = status.st_mode & S_IFMT
        guard kind == S_IFREG else { throw FileError.notRegular(name, kind) }
    }

    /// Takes over the open descriptor `number`.
    package init(owning number: Int32, path: String) {
        self.number = number
        self.path = path
    }

    deinit { close(number) }

    /// Bytes in the file.
    package var size: Int {
        get throws {
            var status = stat()
            guard fstat(number, &status) == 0 else { throw FileError.cannotRead(path) }
            return Int(status.st_size)
        }
    }

    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        guard writeAll(bytes, to: number) else { throw FileError.cannotWrite(path) }
    }

    /// Reads on from where the last call ended; 0 at the end.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        while true {
            let count = Foundation.read(number, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            guard errno == EINTR else { throw FileError.cannotRead(path) }
        }
    }

    package func truncate(to size: Int) throws {
        // A device has no size, and refuses to be given one.
        guard try self.size != size else { return }
        guard ftruncate(number, size) == 0 else { throw FileError.cannotWrite(path) }
    }

    /// Waits until the bytes are on the disk.
    package func synchronize() throws {
        // Pipes and devices have nothing to synchronise and say EINVAL.
        guard fsync(number) == 0 || errno == EINVAL || errno == EROFS else { throw FileError.cannotWrite(path) }
    }

    /// Reports what a network file system reports only when a file is closed: that there was no space.
    package func flush() throws {
        let copy = fcntl(number, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0, close(copy) == 0 else { throw FileError.cannotWrite(path) }
    }

    /// Another descriptor of the same opening, which the caller closes.
    package func duplicate() throws -> Int32 {
        let copy = fcntl(number, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { throw FileError.cannotRead(path) }
        return copy
    }

    package func unlock() { flock(number, LOCK_UN) }

    /// Takes the advisory lock of the file; false where another process holds it and `waiting` is false.
    package func lock(waiting: Bool) throws -> Bool {
        while flock(number, waiting ? LOCK_EX : LOCK_EX | LOCK_NB) != 0 {
            if errno == EINTR { continue }
            if errno == EWOULDBLOCK { return false }
            throw FileError(.inputOutput, "cannot lock \(path): \(systemReason())")
        }
        return true
    }
}

/// Writes all of `bytes` to an open descriptor, in as many calls as it takes; false where the system refuses, which
/// `errno` then explains.
package func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
        let written = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if written < 0 && errno == EINTR { continue }
        guard written > 0 else { return false }
        rest = rest.dropFirst(written)
    }
    return true
}
