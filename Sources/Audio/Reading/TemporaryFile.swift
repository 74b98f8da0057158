import Glibc

/// A file without a name: it is there as long as this object, and the system removes it even after a crash.
final class TemporaryFile: Sendable {
    private let descriptor: Int32
    /// Whose samples it holds, for messages.
    private let name: String
    private let directory: String

    /// Creates it in `directory`, or in `$TMPDIR`, or in `/tmp`.
    init(holding name: String, directory: String? = nil) throws {
        self.name = name
        let named = directory ?? getenv("TMPDIR").map { String(cString: $0) } ?? ""
        self.directory = named.isEmpty ? "/tmp" : named
        var path = Array("\(self.directory)/auscult-XXXXXX".utf8CString)
        descriptor = mkstemp(&path)
        guard descriptor >= 0 else {
            throw AudioError(
                .unavailable,
                """
                \(name): needs a temporary file, and none can be created in \(self.directory) ($TMPDIR names another \
                directory): \(SystemCall.message(errno))
                """)
        }
        unlink(path)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    deinit { close(descriptor) }

    /// Another descriptor of the file, at its start; the caller closes it, and the file lasts until then.
    func duplicate() throws -> Int32 {
        let copy = dup(descriptor)
        guard copy >= 0, lseek(copy, 0, SEEK_SET) == 0 else {
            throw AudioError(.unavailable, "\(name): cannot reopen its temporary file: \(SystemCall.message(errno))")
        }
        return copy
    }

    /// Writes `bytes` after those already there.
    func append(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let source = UnsafeRawBufferPointer(rebasing: rest)
            let written = SystemCall.retrying { write(descriptor, source.baseAddress, source.count) }
            guard written > 0 else {
                throw AudioError(
                    .unavailable,
                    """
                    \(name): does not fit in a temporary file in \(directory) (a minute needs 4 MB; $TMPDIR names \
                    another directory): \(SystemCall.message(errno))
                    """)
            }
            rest = rest.dropFirst(written)
        }
    }

    /// The floats in `range`, counted in floats from the file's start.
    func readFloats(_ range: Range<Int>) throws -> [Float] {
        try [Float](unsafeUninitializedCapacity: range.count) { floats, initialized in
            try fill(
                UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(floats)[..<(4 * range.count)]),
                from: 4 * range.lowerBound)
            initialized = range.count
        }
    }

    /// All bytes.
    func readAll() throws -> [UInt8] {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw AudioError(
                .unavailable, "\(name): cannot read its temporary file in \(directory): \(SystemCall.message(errno))")
        }
        let count = Int(status.st_size)
        return try [UInt8](unsafeUninitializedCapacity: count) { bytes, initialized in
            try fill(UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(bytes)[..<count]), from: 0)
            initialized = count
        }
    }

    private func fill(_ buffer: UnsafeMutableRawBufferPointer, from start: Int) throws {
        var rest = buffer[...]
        while !rest.isEmpty {
            let target = UnsafeMutableRawBufferPointer(rebasing: rest)
            let offset = off_t(start + rest.startIndex)
            let got = SystemCall.retrying { pread(descriptor, target.baseAddress, target.count, offset) }
            guard got > 0 else {
                let reason = got == 0 ? "it ends early" : SystemCall.message(errno)
                throw AudioError(.unavailable, "\(name): cannot read its temporary file in \(directory): \(reason)")
            }
            rest = rest.dropFirst(got)
        }
    }
}

/// What every call into the system needs.
enum SystemCall {
    /// Calls again as long as a signal interrupts.
    static func retrying(_ call: () -> Int) -> Int {
        while true {
            let result = call()
            if result >= 0 || errno != EINTR { return result }
        }
    }

    static func message(_ code: Int32) -> String { String(cString: strerror(code)) }
}
