import Files
import Glibc

/// A regular file mapped read-only into memory: nothing is read until it is looked at, and the page cache shares it
/// between processes.
///
/// The size is that of the moment of opening. If another process *truncates* the file while it is mapped, the kernel
/// answers a later read with SIGBUS, and no check can prevent that; replacing the file by renaming another one over
/// it is safe, and that is how every writer here (and every sane downloader) does it.
public final class MappedFile: Sendable {
    public let path: String
    /// The file's bytes; they live as long as this object.
    nonisolated(unsafe) private let mapping: UnsafeRawBufferPointer  // never written to, unmapped in deinit only

    /// - Throws: ``TensorFileError``: `notFound` where there is no such file, `unavailable` where the system refuses,
    ///   `invalidArgument` where it is not a regular file.
    public init(_ path: String) throws {
        let file = try Self.open(path)
        self.path = path
        self.mapping = try Self.map(file.number, count: try file.size, path: path)
    }

    private static func open(_ path: String) throws -> FileDescriptor {
        do { return try FileDescriptor(reading: path) } catch let error as FileError {
            // What the system refuses is not there for now.
            throw TensorFileError(
                [.notFound, .invalidArgument].contains(error.code) ? error.code : .unavailable, error.message)
        }
    }

    private static func map(_ descriptor: Int32, count: Int, path: String) throws -> UnsafeRawBufferPointer {
        guard count > 0 else { return UnsafeRawBufferPointer(start: nil, count: 0) }  // mmap refuses a length of 0
        let address = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0)
        guard let address, address != MAP_FAILED else {
            throw TensorFileError.system("cannot map \(path) (\(count) bytes)")
        }
        return UnsafeRawBufferPointer(start: address, count: count)
    }

    /// All of the file; the value keeps the mapping alive.
    public var bytes: FileBytes { FileBytes(name: path, viewing: mapping, owner: self) }

    /// Drops the whole pages of a part of the mapping from this process; the page cache may keep them.
    func rest(_ part: UnsafeRawBufferPointer) {
        guard let start = part.baseAddress, let base = mapping.baseAddress, part.count > 0 else { return }
        let page = sysconf(Int32(_SC_PAGESIZE))
        let first = (start - base + page - 1) / page * page, end = (start - base + part.count) / page * page
        guard first < end else { return }
        madvise(UnsafeMutableRawPointer(mutating: base + first), end - first, MADV_DONTNEED)
    }

    deinit {
        if let start = mapping.baseAddress { munmap(UnsafeMutableRawPointer(mutating: start), mapping.count) }
    }
}

extension TensorFileError {
    /// The failure of the system call just made: `action`, and what errno says.
    package static func system(_ action: String, errno code: Int32 = errno) -> TensorFileError {
        TensorFileError(
            code == ENOENT || code == ENOTDIR ? .notFound : .unavailable, "\(action): \(systemReason(code))")
    }
}
