import Glibc

/// Samples of 16 kHz mono signed 16-bit little-endian, with no header, from a descriptor.
struct RawSamples {
    private let descriptor: Int32
    private let name: String
    private var bytes = [UInt8](repeating: 0, count: 1 << 16)
    /// Bytes of `bytes` that belong to a sample whose second half has not come yet: 0 or 1.
    private var pending = 0
    private var isFirst = true

    init(descriptor: Int32, name: String) throws {
        self.descriptor = descriptor
        self.name = name
        if isatty(descriptor) == 1 {
            throw AudioError(
                .invalidArgument,
                """
                \(name): is a terminal; expected raw 16 kHz mono s16le samples through a pipe
                """)
        }
    }

    /// The next samples, at least one, scaled to −1 ..< 1; none at the end.
    mutating func read() throws -> [Float] {
        while true {
            let got = try fill()
            let available = pending + got
            if isFirst, available > 0 {
                try refuseContainer(bytes[..<available])
                isFirst = false
            }
            if got == 0 {
                guard pending == 0 else { throw odd() }
                return []
            }
            let count = available / 2
            let samples = (0..<count).map { sample(at: 2 * $0) }
            pending = available % 2
            if pending == 1 { bytes[0] = bytes[available - 1] }
            if count > 0 { return samples }
        }
    }

    private func sample(at offset: Int) -> Float {
        let bits = UInt16(bytes[offset]) | UInt16(bytes[offset + 1]) << 8
        return Float(Int16(bitPattern: bits)) / 32768
    }

    /// Reads behind the pending byte; waits where the descriptor does not block. Zero at the end.
    private mutating func fill() throws -> Int {
        let (pending, descriptor) = (pending, descriptor)
        while true {
            let got = bytes.withUnsafeMutableBytes { bytes in
                SystemCall.retrying { Glibc.read(descriptor, bytes.baseAddress! + pending, bytes.count - pending) }
            }
            if got >= 0 { return got }
            guard errno == EAGAIN else {
                throw AudioError(.unavailable, "\(name): cannot be read: \(SystemCall.message(errno))")
            }
            var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            poll(&request, 1, -1)
        }
    }

    /// A sound file piped in by mistake would be heard as noise.
    private func refuseContainer(_ start: ArraySlice<UInt8>) throws {
        let tags: [(tag: String, format: String)] = [
            ("RIFF", "WAV"), ("fLaC", "FLAC"), ("OggS", "Ogg"), ("ID3", "MP3"),
        ]
        for (tag, format) in tags where start.starts(with: tag.utf8) {
            throw AudioError(
                .invalidArgument,
                """
                \(name): begins like a sound file (\(format)), not like samples; expected \
                raw 16 kHz mono s16le without a header
                """)
        }
    }

    private func odd() -> AudioError {
        AudioError(.dataLoss, "\(name): ends in the middle of a sample; expected s16le, an even number of bytes")
    }
}
