import CSndFile
import Glibc

/// How samples are written.
public enum SoundFileFormat: Sendable, Hashable, CaseIterable {
    /// WAV, 16-bit integers; samples beyond −1 ..< 1 are clipped.
    case wav16
    /// WAV, 32-bit floats, every sample as it is.
    case wavFloat
    /// FLAC, 16-bit integers, clipped in the same way.
    case flac16

    fileprivate var code: Int32 {
        switch self {
        case .wav16: Int32(SF_FORMAT_WAV | SF_FORMAT_PCM_16)
        case .wavFloat: Int32(SF_FORMAT_WAV | SF_FORMAT_FLOAT)
        case .flac16: Int32(SF_FORMAT_FLAC | SF_FORMAT_PCM_16)
        }
    }
}

/// Writes recordings as sound files.
public enum SoundFileWriter {
    /// Writes mono `samples` to `path`, replacing what is there.
    ///
    /// The file appears whole or not at all: it is written under a temporary name beside its own and renamed, and a
    /// failure leaves nothing behind. Integers are round(32768·x), so that 16-bit samples that were read come back as
    /// they were. Throws ``AudioError`` if a sample is not finite or the file cannot be written.
    public static func write(
        _ samples: [Float], sampleRate: Int = SampleBuffer.sampleRate, as format: SoundFileFormat, to path: String
    ) throws {
        try check(samples, sampleRate: sampleRate, path)
        let (descriptor, temporary) = try create(beside: path)
        do {
            try encode(samples, sampleRate: sampleRate, as: format, descriptor: descriptor, path: path)
            if rename(temporary, path) != 0 { throw failure(path, SystemCall.message(errno)) }
        } catch {
            unlink(temporary)
            throw error
        }
    }

    /// The bytes of a sound file of mono `samples`; `name` is for messages.
    ///
    /// - Throws: ``AudioError`` if a sample is not finite, or there is no room for a temporary file, which is needed as
    ///   a file's header is written last.
    public static func bytes(
        _ samples: [Float], sampleRate: Int = SampleBuffer.sampleRate, as format: SoundFileFormat, name: String
    ) throws -> [UInt8] {
        try check(samples, sampleRate: sampleRate, name)
        let file = try TemporaryFile(holding: name)
        try encode(samples, sampleRate: sampleRate, as: format, descriptor: file.duplicate(), path: name)
        return try file.readAll()
    }

    private static func check(_ samples: [Float], sampleRate: Int, _ path: String) throws {
        guard SoundFile.sampleRates.contains(sampleRate) else {
            throw AudioError(
                .invalidArgument,
                """
                \(path): cannot be written at \(sampleRate) Hz; expected \(SoundFile.sampleRates.lowerBound) to \
                \(SoundFile.sampleRates.upperBound)
                """)
        }
        if let index = samples.firstIndex(where: { !$0.isFinite }) {
            throw AudioError(.invalidArgument, "\(path): cannot hold sample \(index), which is \(samples[index])")
        }
    }

    /// A new file in the directory of `path`, with the permissions that any new file gets.
    private static func create(beside path: String) throws -> (descriptor: Int32, name: String) {
        for _ in 0..<100 {
            let name = "\(path).\(String(UInt32.random(in: 0...UInt32.max), radix: 36)).partial"
            let descriptor = SystemCall.retrying { Int(open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)) }
            if descriptor >= 0 { return (Int32(descriptor), name) }
            if errno != EEXIST { break }
        }
        throw failure(path, SystemCall.message(errno))
    }

    private static func encode(
        _ samples: [Float], sampleRate: Int, as format: SoundFileFormat, descriptor: Int32, path: String
    ) throws {
        var info = SF_INFO()
        info.samplerate = Int32(sampleRate)
        info.channels = 1
        info.format = format.code
        guard let handle = sf_open_fd(descriptor, Int32(SFM_WRITE), &info, 1) else {
            throw failure(path, String(cString: sf_strerror(nil)))
        }
        // The peak chunk holds the time of day: the same samples must give the same bytes.
        sf_command(handle, Int32(SFC_SET_ADD_PEAK_CHUNK), nil, Int32(SF_FALSE))
        let written =
            format == .wavFloat
            ? sf_write_float(handle, samples, Int64(samples.count))
            : sf_write_short(handle, samples.map(quantised), Int64(samples.count))
        let reason = String(cString: sf_strerror(handle))
        let closed = sf_close(handle)
        guard written == samples.count, closed == 0 else {
            throw failure(path, written == samples.count ? String(cString: sf_error_number(closed)) : reason)
        }
    }

    private static func quantised(_ sample: Float) -> Int16 {
        Int16(min(max((sample * 32768).rounded(), -32768), 32767))
    }

    private static func failure(_ path: String, _ reason: String) -> AudioError {
        AudioError(.unavailable, "\(path): cannot be written: \(reason)")
    }
}
