import Glibc

/// A look at a WAV file's header before libsndfile's, which reads a file that was cut short as if it were whole and has
/// no words for a sample rate of zero.
///
/// Only for WAV, of which most recordings are. Of FLAC and Ogg libsndfile says when less came than was promised; in
/// other containers (AIFF, AU, W64, RF64 …) and in MP3 a file that ends early passes for a shorter recording.
enum RIFFHeader {
    /// Throws if the format makes no sense or the data chunk promises more bytes than the file has. Says nothing of
    /// files that are not RIFF/WAVE, nor of the length where the writer did not know it.
    static func check(descriptor: Int32, name: String) throws {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return }
        try check(size: Int(status.st_size), name: name) { offset, count in
            var bytes = [UInt8](repeating: 0, count: count)
            let got = SystemCall.retrying { pread(descriptor, &bytes, count, off_t(offset)) }
            return got == count ? bytes : nil
        }
    }

    /// The same for a file in memory.
    static func check(_ bytes: UnsafeRawBufferPointer, size: Int, name: String) throws {
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
            let length = little(header[4..<8])
            offset += 8
            switch tag(header[0..<4]) {
            case "data":
                guard length > size - offset, !isUnknown(length) else { return }
                throw AudioError(
                    .dataLoss,
                    """
                    \(name): is cut short: the header promises \(length) bytes of samples, \(max(size - offset, 0)) came
                    """)
            case "fmt ":
                guard let format = read(offset, 8) else { return }
                try SoundFile.check(sampleRate: little(format[4..<8]), channels: little(format[2..<4]), of: name)
                fallthrough
            default: offset += length + length % 2
            }
        }
    }

    /// What writers to a pipe put where they do not know the length: ffmpeg 0xFFFFFFFF, SoX and arecord about 2³¹.
    private static func isUnknown(_ length: Int) -> Bool {
        (0x7FFF_0000...0x8000_0000).contains(length) || length >= 0xFFFF_0000
    }

    private static func little(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reversed().reduce(0) { $0 << 8 | Int($1) } }

    private static func tag(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
}
