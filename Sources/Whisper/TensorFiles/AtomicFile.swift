import Glibc

/// A file that appears under its name complete, or not at all.
///
/// The bytes go to a nameless file in the same folder (`O_TMPFILE`: the kernel frees it even when the process is
/// killed), which gets a name and is renamed over the target when it is complete. Where the file system has no
/// nameless files, a hidden one with a random name takes their place; ``deinit`` removes it.
final class AtomicFile {
    /// The file that will exist, symbolic links resolved.
    let path: String
    private var descriptor: Int32
    /// Its temporary name, where it has one.
    private var temporary: String?

    /// - Throws: ``WhisperError``: `invalidArgument` where `path` is a folder or a device, `unavailable` or `notFound`
    ///   where the folder can not be written to. Long work so learns at its start that its result has no place.
    init(path: String) throws {
        self.path = try Self.target(path)
        let opened = try Self.openTemporary(besides: self.path)
        self.descriptor = opened.descriptor
        self.temporary = opened.name
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        guard let base = bytes.baseAddress else { return }
        var done = 0
        while done < bytes.count {
            let written = Glibc.write(descriptor, base + done, bytes.count - done)
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { throw WhisperError.system("cannot write \(path)") }
            done += written
        }
    }

    /// Appends everything that `source` holds; its read position moves to its end.
    func append(contentsOf source: AtomicFile) throws {
        guard lseek(source.descriptor, 0, SEEK_SET) == 0 else { throw WhisperError.system("cannot reread \(path)") }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { buffer.deallocate() }
        while true {
            let count = read(source.descriptor, buffer.baseAddress, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw WhisperError.system("cannot reread what was written for \(path)") }
            if count == 0 { return }
            try write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }

    /// Gives the file its name, replacing one that has it.
    ///
    /// There is no fsync: after a power failure the old file may still be there, which is as good as an unfinished run.
    func commit() throws {
        let named = try temporary ?? linkIntoFolder()
        temporary = named
        guard rename(named, path) == 0 else { throw WhisperError.system("cannot put \(path) in its place") }
        temporary = nil
        let result = close(descriptor)  // network file systems report a lack of space only here
        descriptor = -1
        guard result == 0 else { throw WhisperError.system("cannot complete \(path)") }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
        if let temporary { unlink(temporary) }
    }

    /// Names a nameless file, as a rename needs a name to start from.
    private func linkIntoFolder() throws -> String {
        let name = Self.hiddenName(besides: path)
        guard linkat(AT_FDCWD, "/proc/self/fd/\(descriptor)", AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0 else {
            throw WhisperError.system("cannot name the temporary file of \(path)")
        }
        return name
    }

    private static func openTemporary(besides path: String) throws -> (descriptor: Int32, name: String?) {
        let temporaryFile: Int32 = 0o20000000 | O_DIRECTORY  // O_TMPFILE, a macro that Swift does not import
        let nameless = Glibc.open(folder(of: path), temporaryFile | O_RDWR | O_CLOEXEC, 0o666)
        if nameless >= 0 {
            if access("/proc/self/fd/\(nameless)", F_OK) == 0 { return (nameless, nil) }
            close(nameless)  // no /proc: it could never be named
        }
        let name = hiddenName(besides: path)
        let descriptor = Glibc.open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw WhisperError.system("cannot write \(path)") }
        return (descriptor, name)
    }

    /// The file that writing to `path` means.
    private static func target(_ path: String) throws -> String {
        guard !path.isEmpty, !path.hasSuffix("/") else {
            throw WhisperError(.invalidArgument, "cannot write '\(path)': it names no file")
        }
        var status = stat()
        guard stat(path, &status) == 0 else {
            guard errno == ENOENT else { throw WhisperError.system("cannot write \(path)") }
            return path
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw WhisperError(.invalidArgument, "cannot write \(path): it exists and is not a regular file")
        }
        guard access(path, W_OK) == 0 else { throw WhisperError.system("cannot write \(path)") }
        guard let resolved = realpath(path, nil) else { throw WhisperError.system("cannot resolve \(path)") }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Without the file's own name in it, which may be as long as the file system allows.
    private static func hiddenName(besides path: String) -> String {
        "\(folder(of: path))/.\(String(UInt64.random(in: .min ... .max), radix: 36)).partial"
    }
}
