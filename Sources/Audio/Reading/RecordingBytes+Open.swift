import Files
import Glibc

extension RecordingBytes {
    /// The bytes of a file, or of a copy of what comes through a pipe. A message of its own for each thing that commonly
    /// goes wrong.
    static func open(_ path: String, name: String) throws -> RecordingBytes {
        let descriptor = PathText.withName(path) { name in
            Int32(SystemCall.retrying { Int(Glibc.open(name, O_RDONLY | O_CLOEXEC)) })
        }
        guard descriptor >= 0 else {
            let code: ErrorCode = errno == ENOENT || errno == ENOTDIR ? .notFound : .unavailable
            throw AudioError(code, "\(name): cannot be opened: \(SystemCall.message(errno))")
        }
        var status = stat()
        let kind = fstat(descriptor, &status) == 0 ? status.st_mode & S_IFMT : S_IFREG
        if kind == S_IFREG, status.st_size > 0 { return RecordingBytes(owning: descriptor) }
        defer { close(descriptor) }
        switch kind {
        case S_IFREG: throw empty(name)
        case S_IFIFO: return try copy(of: descriptor, name: name)
        case S_IFDIR: throw AudioError(.invalidArgument, "\(name): is a directory; expected a sound file")
        default: throw AudioError(.invalidArgument, "\(name): is a device; expected a sound file")
        }
    }

    private static func copy(of pipe: Int32, name: String) throws -> RecordingBytes {
        let bytes = RecordingBytes(owning: try TemporaryFile(copying: pipe, name: name).duplicate())
        guard bytes.size > 0 else { throw empty(name) }
        return bytes
    }

    static func empty(_ name: String) -> AudioError {
        AudioError(.dataLoss, "\(name): is empty (0 bytes); expected a sound file")
    }
}
