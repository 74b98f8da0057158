import Glibc

/// Tells a WAV file that was cut short, which libsndfile reads as if it were whole.
enum RIFFHeader {
    /// Throws if the data chunk promises more bytes than the file has. Says nothing of files that are not RIFF/WAVE, nor
    /// of those whose writer did not know the length.
    static func refuseTruncated(descriptor: Int32, name: String) throws {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return }
        try check(size: Int(status.st_size), name: name) { offset, count in
            var bytes = [UInt8](repeating: 0, count: count)
            let got = SystemCall.retrying { pread(descriptor, &bytes, count, off_t(offset)) }
            return got == count ? bytes : nil
        }
    }

    /// The same for a file in memory.
    static func refuseTruncated(_ bytes: UnsafeRawBufferPointer, size: Int, name: String) throws {
        try check(size: size, name: name) { offset, count in
            offset + count <= bytes.count ? Array(bytes[offset..<offset + count]) : nil
        }
    }

    /// Walks the chunks, `read(offset, count)` by `read`, up to the data.
    private static func check(size: Int, name: String, read: (Int, Int) -> [UInt8]?) throws {
        guard let start = read(0, 12), tag(start[0..<4]) == "RIFF", tag(start[8..<12]) == "WAVE" else { return }
        var offset = 12
        // No real file has so many chunks; a hostile one may.
        for _ in 0..<4096 {
            guard let header = read(offset, 8) else { return }
            let length = header[4..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
            offset += 8
            guard tag(header[0..<4]) == "data" else {
                offset += length + length % 2
                continue
            }
            if length > size - offset, !isUnknown(length) {
                throw AudioError(.dataLoss, """
                    \(name): is cut short: the header promises \(length) bytes of samples, \(max(size - offset, 0)) came
                    """)
            }
            return
        }
    }

    /// What writers to a pipe put where they do not know the length: ffmpeg 0xFFFFFFFF, SoX and arecord about 2³¹.
    private static func isUnknown(_ length: Int) -> Bool {
        (0x7FFF_0000...0x8000_0000).contains(length) || length >= 0xFFFF_0000
    }

    private static func tag(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
}
