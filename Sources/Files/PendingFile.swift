import Foundation
import Synchronization

/// A result file on its way: it appears under its name complete, or not at all. One thread uses it.
///
/// The bytes go to a nameless file in the same folder (`O_TMPFILE`: the kernel frees it even when the process is
/// killed), which gets a name and is renamed over the destination when it is complete. Where the file system has no
/// nameless files, a hidden one with a random name takes their place; it goes when the value does, and
/// ``discardAll()`` removes those of a process that has to stop at once. Where the folder takes no files, and the destination is
/// there and may be written (a plugin that was granted one file), the bytes wait in the folder for temporary files, and are written over it
/// when they are complete.
public final class PendingFile {
    /// Where the result will lie, symbolic links resolved.
    public let destination: String
    private let file: FileDescriptor
    /// Its temporary name, where it has one.
    private var temporary: String?
    /// Whether it lies in another folder, and is copied to its destination.
    private let isElsewhere: Bool

    private struct Open {
        var names: Set<String> = []
        var hasEnded = false
    }
    private static let open = Mutex(Open())

    /// Prepares a file that will lie at `destination`, and checks that it can.
    /// - Throws: ``FileError`` (`cannotCreate`) where `destination` is a folder or a device, or the folder cannot be
    ///   written to: long work so learns at its start that its result has no place.
    public init(_ destination: String) throws {
        self.destination = try Self.target(destination)
        let opened = try Self.openTemporary(besides: self.destination)
        self.file = FileDescriptor(owning: opened.descriptor, path: self.destination)
        self.temporary = opened.name
        isElsewhere = opened.isElsewhere
        if let name = opened.name { Self.open.withLock { _ = $0.names.insert(name) } }
    }

    deinit {
        guard let temporary else { return }
        Self.open.withLock { _ = $0.names.remove(temporary) }
        _ = PathText.withName(temporary) { unlink($0) }
    }

    /// - Throws: ``FileError`` (`inputOutput`) where the disk is full or otherwise refuses.
    public func write(_ bytes: UnsafeRawBufferPointer) throws { try file.write(bytes) }

    /// Appends everything that `source` holds; its read position moves to its end.
    public func append(contentsOf source: PendingFile) throws {
        guard lseek(source.file.number, 0, SEEK_SET) == 0 else { throw FileError.cannotRead(source.destination) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { buffer.deallocate() }
        while true {
            let count = try source.file.read(into: buffer)
            if count == 0 { return }
            try write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }

    /// The file is complete: it gets its name, and replaces what had it before.
    /// - Parameter durably: waits until the disk has it. Without, after a power failure the old file may still be
    ///   there, which is as good as an unfinished run, and a large file need not be waited for.
    public func commit(durably: Bool = false) throws {
        if isElsewhere { return try copy(durably: durably) }
        if durably { try file.synchronize() } else { try file.flush() }
        try Self.open.withLock { open in
            guard !open.hasEnded else {
                throw FileError(.unavailable, "\(destination) was not written: the process is ending")
            }
            let name = try temporary ?? linkIntoFolder()
            temporary = name
            guard PathText.withName(name, { from in PathText.withName(destination) { rename(from, $0) } }) == 0 else {
                throw FileError.cannotWrite(destination)
            }
            temporary = nil
            open.names.remove(name)
        }
    }

    /// Removes every file that is not complete, and lets none be completed any more; for a process that is about to
    /// end.
    public static func discardAll() {
        open.withLock { open in
            for name in open.names { _ = PathText.withName(name) { unlink($0) } }
            open = Open(names: [], hasEnded: true)
        }
    }

    /// Writes `bytes` to `destination`, all or nothing, and waits until the disk has them.
    public static func write(_ bytes: some ContiguousBytes, to destination: String) throws {
        let pending = try PendingFile(destination)
        try bytes.withUnsafeBytes(pending.write)
        try pending.commit(durably: true)
    }

    /// Writes the bytes over the file that is there.
    private func copy(durably: Bool) throws {
        let number = PathText.withName(destination) { Foundation.open($0, O_WRONLY | O_TRUNC | O_CLOEXEC) }
        guard number >= 0 else { throw FileError.cannotWrite(destination) }
        let target = FileDescriptor(owning: number, path: destination)
        guard lseek(file.number, 0, SEEK_SET) == 0 else { throw FileError.cannotRead(destination) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { buffer.deallocate() }
        while case let count = try file.read(into: buffer), count > 0 {
            try target.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
        if durably { try target.synchronize() } else { try target.flush() }
    }

    /// Names a nameless file, as a rename needs a name to start from.
    private func linkIntoFolder() throws -> String {
        let name = Self.hiddenName(besides: destination)
        let source = "/proc/self/fd/\(file.number)"
        guard PathText.withName(name, { linkat(AT_FDCWD, source, AT_FDCWD, $0, AT_SYMLINK_FOLLOW) }) == 0 else {
            throw FileError.cannotWrite(destination)
        }
        return name
    }

    private static func openTemporary(
        besides path: String
    ) throws -> (descriptor: Int32, name: String?, isElsewhere: Bool) {
        let temporaryFile: Int32 = 0o20000000 | O_DIRECTORY  // O_TMPFILE, a macro that Swift does not import
        let nameless = PathText.withName(folder(of: path)) {
            Foundation.open($0, temporaryFile | O_RDWR | O_CLOEXEC, 0o666)
        }
        if nameless >= 0 {
            if access("/proc/self/fd/\(nameless)", F_OK) == 0 { return (nameless, nil, false) }
            close(nameless)  // no /proc: it could never be named
        }
        let name = hiddenName(besides: path)
        let descriptor = PathText.withName(name) {
            Foundation.open($0, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        }
        if descriptor >= 0 { return (descriptor, name, false) }
        let reason = errno, refusal = FileError.cannotWrite(path, reason)
        guard reason == EACCES, PathText.withName(path, { access($0, W_OK) }) == 0 else { throw refusal }
        let elsewhere = Foundation.open(
            NSTemporaryDirectory(), temporaryFile | O_RDWR | O_CLOEXEC, 0o600)
        guard elsewhere >= 0 else { throw refusal }
        return (elsewhere, nil, true)
    }

    /// The file that writing to `path` means.
    private static func target(_ path: String) throws -> String {
        guard !path.isEmpty, !path.hasSuffix("/") else {
            throw FileError(.cannotCreate, "cannot write '\(path)': it names no file")
        }
        var status = stat()
        guard PathText.withName(path, { stat($0, &status) }) == 0 else {
            guard errno == ENOENT else { throw FileError.cannotWrite(path) }
            return path
        }
        guard status.st_mode & S_IFMT != S_IFDIR else {
            throw FileError(.cannotCreate, "cannot write \(path): it is a folder")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw FileError(.cannotCreate, "cannot write \(path): it exists and is not a regular file")
        }
        guard PathText.withName(path, { access($0, W_OK) }) == 0 else { throw FileError.cannotWrite(path) }
        guard let resolved = PathText.withName(path, { realpath($0, nil) }) else { throw FileError.cannotWrite(path) }
        defer { free(resolved) }
        return PathText.text(UnsafeRawBufferPointer(start: resolved, count: strlen(resolved)))
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
