import Glibc

/// Samples of 16 kHz mono, little-endian, with no header, from a descriptor.
struct RawSamples {
    enum Format {
        /// Full scale ±32768.
        case int16
        /// Full scale ±1.
        case float32

        var byteCount: Int { self == .int16 ? 2 : 4 }
    }

    private let format: Format
    private let descriptor: Int32
    private let name: String
    private var bytes = [UInt8](repeating: 0, count: 1 << 16)
    /// Bytes of `bytes` that belong to a sample whose rest has not come yet.
    private var pending = 0
    private var isFirst = true

    init(descriptor: Int32, name: String, format: Format = .int16) throws {
        self.format = format
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
                try Self.refuseContainer(bytes[..<available], name: name)
                isFirst = false
            }
            if got == 0 {
                guard pending == 0 else { throw Self.odd(name, format) }
                return []
            }
            let samples = try Self.samples(bytes[..<available], format, name: name)
            pending = available % format.byteCount
            for index in 0..<pending { bytes[index] = bytes[available - pending + index] }
            if !samples.isEmpty { return samples }
        }
    }

    /// The s16le samples that are all of `bytes`, scaled to −1 ..< 1.
    static func samples(_ bytes: [UInt8], name: String) throws -> [Float] {
        try refuseContainer(bytes[...], name: name)
        guard bytes.count % 2 == 0 else { throw odd(name, .int16) }
        return try samples(bytes[...], .int16, name: name)
    }

    /// The whole samples in `bytes`.
    private static func samples(_ bytes: ArraySlice<UInt8>, _ format: Format, name: String) throws -> [Float] {
        try bytes.withUnsafeBytes { bytes in
            let count = bytes.count / format.byteCount
            guard format == .float32 else {
                return (0..<count).map { index in
                    let bits = bytes.loadUnaligned(fromByteOffset: 2 * index, as: Int16.self)
                    return Float(Int16(littleEndian: bits)) / 32768
                }
            }
            return try (0..<count).map { index in
                let bits = bytes.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
                let sample = Float(bitPattern: UInt32(littleEndian: bits))
                guard abs(sample) <= SoundFile.greatestSample else {
                    throw AudioError(
                        .dataLoss,
                        "\(name): a sample is \(sample); expected a finite number of a plausible size")
                }
                return sample
            }
        }
    }

    /// Reads behind the pending bytes; waits where the descriptor does not block. Zero at the end.
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
    private static func refuseContainer(_ start: ArraySlice<UInt8>, name: String) throws {
        let tags: [(tag: String, format: String)] = [
            ("RIFF", "WAV"), ("fLaC", "FLAC"), ("OggS", "Ogg"), ("ID3", "MP3"),
        ]
        for (tag, format) in tags where start.starts(with: tag.utf8) {
            throw AudioError(
                .invalidArgument,
                """
                \(name): begins like a sound file (\(format)), not like samples; expected \
                raw 16 kHz mono samples without a header
                """)
        }
    }

    private static func odd(_ name: String, _ format: Format) -> AudioError {
        let expected = format == .int16 ? "s16le, an even number of bytes" : "float32, a multiple of 4 bytes"
        return AudioError(.dataLoss, "\(name): ends in the middle of a sample; expected \(expected)")
    }
}
