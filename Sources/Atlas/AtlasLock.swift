import Files
import Foundation

/// Says that this process is the one that writes to an atlas. Held as long as the value lives, and released by the
/// kernel however the process ends.
///
/// The lock is `flock` on a file beside the atlas, not on the atlas: SQLite's own locks are those of the process, and
/// closing any descriptor of the atlas would drop them.
final class AtlasLock: Sendable {
    private let file: FileDescriptor

    /// - Throws: ``AtlasError`` (`unavailable`) where another process, or this one, writes already;
    ///   ``Files/FileError`` where the file cannot be made.
    init(atlas path: String) throws {
        let lock = path + ".lock"
        while true {
            let file = try FileDescriptor(lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK)
            guard try file.lock(waiting: false) else {
                throw AtlasError(.unavailable, "another process writes to \(path); it holds \(lock)")
            }
            // Whoever held it before may have removed it after it was opened here; then others lock another file.
            var held = stat()
            var named = stat()
            guard fstat(file.number, &held) == 0 else { throw FileError.cannotRead(lock) }
            if stat(lock, &named) == 0, held.st_ino == named.st_ino, held.st_dev == named.st_dev {
                self.file = file
                return
            }
        }
    }

    deinit { unlink(file.path) }
}
