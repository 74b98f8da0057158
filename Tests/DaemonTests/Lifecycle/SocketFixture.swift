import Files
import Foundation
import TestSupport

/// A place for a socket in a folder that is not there yet.
struct SocketPlace {
    let folder: TemporaryFolder
    let socket: SocketPath

    init() throws {
        folder = try TemporaryFolder()
        socket = try SocketPath(folder("d/s.sock"), environment: [:])
    }

    /// Makes the socket's folder, as the daemon would.
    func makeFolder(mode: mode_t = 0o700) throws {
        try DataFolder.create(socket.folder)
        guard chmod(socket.folder, mode) == 0 else { throw FileError.cannotWrite(socket.folder) }
    }
}

/// The permissions of what lies at `path`.
func mode(_ path: String) -> mode_t? {
    var status = stat()
    return lstat(path, &status) == 0 ? status.st_mode & 0o7777 : nil
}

/// A socket that closes itself, bound to `path` if there is one.
func boundSocket(_ path: SocketPath? = nil, kind: __socket_type = SOCK_STREAM, listening: Bool = false) throws
    -> FileDescriptor
{
    let descriptor = socket(AF_UNIX, Int32(kind.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw FileError(.inputOutput, systemReason()) }
    let owner = FileDescriptor(owning: descriptor, path: path?.path ?? "socket")
    if let path, path.withAddress({ bind(descriptor, $0, $1) }) != 0 { throw FileError.cannotWrite(path.path) }
    if listening, listen(descriptor, 8) != 0 { throw FileError(.inputOutput, systemReason()) }
    return owner
}

/// Whether a client gets through to `path`.
func canConnect(_ path: SocketPath) throws -> Bool {
    let client = try boundSocket()
    return path.withAddress { connect(client.number, $0, $1) } == 0
}
