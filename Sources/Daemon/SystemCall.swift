import Foundation

/// The reason of the last failed system call, in words: "No space left on device".
package func systemReason(_ code: Int32 = errno) -> String { String(cString: strerror(code)) }

extension ServiceError {
    /// An error about `path` after a system call failed while a file was made there.
    static func cannotWrite(_ path: String, _ reason: Int32 = errno) -> ServiceError {
        let full = reason == ENOSPC || reason == EDQUOT || reason == EIO || reason == EFBIG
        return ServiceError(full ? .inputOutput : .cannotCreate, "cannot write \(path): \(systemReason(reason))")
    }

    /// An error about `path` after a system call failed while it was read.
    static func cannotRead(_ path: String, _ reason: Int32 = errno) -> ServiceError {
        ServiceError(reason == ENOENT ? .notFound : .inputOutput, "cannot read \(path): \(systemReason(reason))")
    }
}

/// An open file descriptor that closes itself.
final class FileDescriptor: @unchecked Sendable {
    // Sendable: the number never changes, and the system calls on it are thread-safe.
    let number: Int32
    let path: String

    /// - Throws: ``ServiceError`` (`notFound`, `cannotCreate`, `inputOutput`) where the system refuses.
    init(_ path: String, _ flags: Int32, mode: mode_t = 0o644) throws {
        self.path = path
        self.number = open(path, flags | O_CLOEXEC, mode)
        guard number >= 0 else {
            throw flags & (O_WRONLY | O_RDWR) == 0 ? ServiceError.cannotRead(path) : ServiceError.cannotWrite(path)
        }
    }

    deinit { close(number) }

    /// Bytes in the file.
    var size: Int {
        get throws {
            var status = stat()
            guard fstat(number, &status) == 0 else { throw ServiceError.cannotRead(path) }
            return Int(status.st_size)
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = Foundation.write(number, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { throw ServiceError.cannotWrite(path) }
            rest = rest.dropFirst(written)
        }
    }

    func truncate(to size: Int) throws {
        // A device has no size, and refuses to be given one.
        guard try self.size != size else { return }
        guard ftruncate(number, size) == 0 else { throw ServiceError.cannotWrite(path) }
    }

    /// Waits until the bytes are on the disk.
    func synchronize() throws {
        // Pipes and devices have nothing to synchronise and say EINVAL.
        guard fsync(number) == 0 || errno == EINVAL || errno == EROFS else { throw ServiceError.cannotWrite(path) }
    }

    func unlock() { flock(number, LOCK_UN) }

    /// Takes the advisory lock of the file; false where another process holds it and `waiting` is false.
    func lock(waiting: Bool) throws -> Bool {
        while flock(number, waiting ? LOCK_EX : LOCK_EX | LOCK_NB) != 0 {
            if errno == EINTR { continue }
            if errno == EWOULDBLOCK { return false }
            throw ServiceError(.inputOutput, "cannot lock \(path): \(systemReason())")
        }
        return true
    }
}
