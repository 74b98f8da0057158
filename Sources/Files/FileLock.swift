import Foundation

/// Says that one holder alone writes to a file. Held as long as the value lives, and released by the kernel however the
/// process ends.
///
/// The lock is `flock` on a file beside it, `path.lock`: the file itself may become another one with each writing, or be
/// SQLite's, whose own locks fall with any descriptor that is closed. It lies beside the file itself, so that a symbolic
/// link to the file, or to a folder on the way, is locked by the same. It is removed with the value; after a crash it
/// stays, and locks nobody out.
package final class FileLock: Sendable {
    private let file: FileDescriptor

    /// Nil where another holder has it, of this process or of another.
    /// - Throws: ``FileError``: where the file beside cannot be made; `unavailable` where it becomes another one again and again.
    package init?(beside path: String) throws {
        let lock = Self.place(of: path) + ".lock"
        for _ in 0..<1000 {
            let file = try FileDescriptor(lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK)
            guard try file.lock(waiting: false) else { return nil }
            // Whoever held it may have removed it between the opening and the locking; then others lock another file.
            var (opened, named) = (stat(), stat())
            guard fstat(file.number, &opened) == 0 else { throw FileError.cannotRead(lock) }
            if PathText.withName(lock, { lstat($0, &named) }) == 0, opened.st_ino == named.st_ino,
                opened.st_dev == named.st_dev
            {
                self.file = file
                return
            }
        }
        throw FileError(.unavailable, "cannot lock \(path): its lock, \(lock), becomes another file again and again")
    }

    deinit { _ = PathText.withName(file.path) { unlink($0) } }

    /// Where the file lies, or will lie, without symbolic links on the way.
    private static func place(of path: String, links: Int = 0) -> String {
        if let file = resolved(path) { return file }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        let folder = parts.count > 1 ? parts.dropLast().joined(separator: "/") + "/" : "./"
        // A link to what is not there yet; the system follows 40 of them at most.
        if links < 40, let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path) {
            return place(of: target.hasPrefix("/") ? target : folder + target, links: links + 1)
        }
        guard let parent = resolved(folder), let name = parts.last else { return path }
        return parent == "/" ? "/\(name)" : "\(parent)/\(name)"
    }

    private static func resolved(_ path: String) -> String? {
        guard let resolved = PathText.withName(path, { realpath($0, nil) }) else { return nil }
        defer { free(resolved) }
        return PathText.text(UnsafeRawBufferPointer(start: resolved, count: strlen(resolved)))
    }
}
