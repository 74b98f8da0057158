import Glibc

/// A file without a name: it is there as long as this object, and the system removes it even after a crash.
final class TemporaryFile: Sendable {
    private let descriptor: Int32
    private let directory: String

    /// Creates it in `directory`, or in `$TMPDIR`, or in `/tmp`.
    init(directory: String? = nil) throws {
        let named = directory ?? getenv("TMPDIR").map { String(cString: $0) } ?? ""
        self.directory = named.isEmpty ? "/tmp" : named
        var path = Array("\(self.directory)/auscult-XXXXXX".utf8CString)
        descriptor = mkstemp(&path)
        guard descriptor >= 0 else {
            throw AudioError(.unavailable, """
                cannot create a temporary file for a long recording in \(self.directory) ($TMPDIR names another \
                directory): \(SystemCall.message(errno))
                """)
        }
        unlink(path)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    deinit { close(descriptor) }

    /// Writes `bytes` after those already there.
    func append(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = SystemCall.retrying { write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count) }
            guard written > 0 else {
                throw AudioError(.unavailable, """
                    cannot hold the recording in a temporary file in \(directory) (64 kB a second; $TMPDIR names another \
                    directory): \(SystemCall.message(errno))
                    """)
            }
            rest = rest.dropFirst(written)
        }
    }

    /// The floats in `range`, counted in floats from the file's start.
    func readFloats(_ range: Range<Int>) throws -> [Float] {
        try [Float](unsafeUninitializedCapacity: range.count) { floats, initialized in
            var rest = UnsafeMutableRawBufferPointer(floats)[..<(4 * range.count)]
            while !rest.isEmpty {
                let offset = off_t(4 * range.lowerBound + rest.startIndex)
                let target = UnsafeMutableRawBufferPointer(rebasing: rest)
                let got = SystemCall.retrying { pread(descriptor, target.baseAddress, target.count, offset) }
                guard got > 0 else {
                    let reason = got == 0 ? "it ends early" : SystemCall.message(errno)
                    throw AudioError(.unavailable, "cannot read the recording's temporary file in \(directory): \(reason)")
                }
                rest = rest.dropFirst(got)
            }
            initialized = range.count
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
