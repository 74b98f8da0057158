import Files
import Foundation

/// Says that one run keeps its state in a file, as long as the value lives. Two would write over each other's.
///
/// The lock is `flock` on a file beside it, because the file itself is another one after each writing. It is removed
/// with the value; after a crash it stays, and locks nobody out.
final class StateLock: Sendable {
    private let file: FileDescriptor

    /// - Throws: ``Files/FileError``: `unavailable` where another run of any daemon holds it.
    init(_ path: String) throws {
        let lock = path + ".lock"
        while true {
            let file = try FileDescriptor(lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK)
            guard try file.lock(waiting: false) else {
                throw FileError(
                    .unavailable, "another run keeps its state in \(path); wait for its end, or name another file")
            }
            // Whoever held it may have removed it between the opening and the locking.
            var (opened, named) = (stat(), stat())
            guard fstat(file.number, &opened) == 0 else { throw FileError.cannotRead(lock) }
            if lstat(lock, &named) == 0, opened.st_ino == named.st_ino, opened.st_dev == named.st_dev {
                self.file = file
                return
            }
        }
    }

    deinit { unlink(file.path) }
}
