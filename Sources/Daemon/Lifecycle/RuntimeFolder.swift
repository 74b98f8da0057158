import Files
import Foundation

/// The folder of the socket, which must be the user's own: who can write to it could put another socket in its place.
package enum RuntimeFolder {
    /// Makes the folder of `socket` where it is not there yet, and checks one that is.
    /// - Parameter mode: that of a new folder.
    /// - Throws: ``Files/FileError``: `cannotCreate` where it cannot be made or is no folder, `permissionDenied` where
    ///   it is a symbolic link, belongs to someone else, or others may write to it.
    package static func prepare(for socket: SocketPath, mode: mode_t = 0o700, user: uid_t = geteuid()) throws {
        let folder = socket.folder
        let isNew = mkdir(folder, mode) == 0
        let reason = errno
        // Opened without following a link, and examined through the descriptor: what is checked is what is there.
        let path: Int32 = 0o10000000  // O_PATH, which Glibc's module hides behind _GNU_SOURCE
        let descriptor = open(folder, path | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw FileError(.cannotCreate, "cannot make the socket's folder \(folder): \(systemReason(reason))")
        }
        let handle = FileDescriptor(owning: descriptor, path: folder)
        var status = stat()
        guard fstat(handle.number, &status) == 0 else { throw FileError.cannotRead(folder) }
        try check(status, folder, user)
        // The umask may have taken away what the owner needs.
        guard !isNew || chmod(folder, mode) == 0 else { throw FileError.cannotWrite(folder) }
    }

    private static func check(_ status: stat, _ folder: String, _ user: uid_t) throws {
        func refuse(_ reason: String) -> FileError {
            FileError(.permissionDenied, "the socket's folder \(folder) \(reason)")
        }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: break
        case S_IFLNK:
            throw refuse("is a symbolic link, and someone else may own where it leads; name the folder itself")
        default: throw FileError(.cannotCreate, "the socket's folder \(folder) is not a folder")
        }
        guard status.st_uid == user else {
            throw refuse("belongs to the user \(status.st_uid), expected \(user); choose a folder of your own")
        }
        guard status.st_mode & 0o022 == 0 else {
            let mode = String(status.st_mode & 0o7777, radix: 8)
            throw refuse("can be written to by others (mode \(mode)); expected 700: chmod go-w makes it so")
        }
    }
}
