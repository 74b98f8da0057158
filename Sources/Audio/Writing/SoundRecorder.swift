import CSndFile
import Files
import Glibc

/// Writes 16 kHz mono sound as FLAC while it comes, for as long as it comes. What was written stays when the program ends in between:
/// FLAC can be read up to where it stops.
public final class SoundRecorder {
    private let path: String
    private var handle: OpaquePointer?

    /// - Throws: ``AudioError`` (`unavailable`) where there can be no such file, or something is there already.
    public init(_ path: String) throws {
        self.path = path
        let descriptor = SystemCall.retrying {
            Int(PathText.withName(path) { open($0, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o666) })
        }
        guard descriptor >= 0 else { throw Self.failure(path, SystemCall.message(errno)) }
        var info = SF_INFO()
        info.samplerate = Int32(SampleBuffer.sampleRate)
        info.channels = 1
        info.format = Int32(SF_FORMAT_FLAC | SF_FORMAT_PCM_16)
        handle = sf_open_fd(Int32(descriptor), Int32(SFM_WRITE), &info, 1)
        guard handle != nil else { throw Self.failure(path, String(cString: sf_strerror(nil))) }
    }

    deinit { if let handle { sf_close(handle) } }

    /// - Throws: ``AudioError`` (`unavailable`) where they cannot be written, or ``finish()`` was called.
    public func append(_ samples: [Int16]) throws {
        guard let handle else { throw Self.failure(path, "it is closed") }
        guard sf_write_short(handle, samples, Int64(samples.count)) == samples.count else {
            throw Self.failure(path, String(cString: sf_strerror(handle)))
        }
    }

    /// Completes the file.
    public func finish() throws {
        guard let handle else { return }
        self.handle = nil
        let reason = sf_close(handle)
        guard reason == 0 else { throw Self.failure(path, String(cString: sf_error_number(reason))) }
    }

    private static func failure(_ path: String, _ reason: String) -> AudioError {
        AudioError(.unavailable, "\(path): cannot be written: \(reason)")
    }
}
