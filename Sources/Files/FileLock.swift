import Foundation

/// Says that one holder alone writes to a file. Held as long as the value lives, and released by the kernel however the
/// process ends.
///
/// The lock is `flock` on a file beside it, `path.lock`: the file itself may become another one with each writing, or be
/// SQLite's, whose own locks fall with any descriptor that is closed. It is removed with the value; after a crash it
/// stays, and locks nobody out.
package final class FileLock: Sendable {
    private let file: FileDescriptor

    /// Nil where another holder has it, of this process or of another.
    /// - Throws: ``FileError`` where the file beside cannot be made.
    package init?(beside path: String) throws {
        let lock = path + ".lock"
        while true {
            let file = try FileDescriptor(lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK)
            guard try file.lock(waiting: false) else { return nil }
            // Whoever held it may have removed it between the opening and the locking; then others lock another file.
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
