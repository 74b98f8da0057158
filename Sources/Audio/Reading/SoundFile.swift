import CSndFile
import Files
import Glibc

/// A sound file, decoded block by block with libsndfile.
final class SoundFile {
    let name: String
    let sampleRate: Int
    let channels: Int
    /// Frames (a sample of each channel) that the header promises; nil where the format makes no reliable promise.
    let promisedFrames: Int?

    private let handle: OpaquePointer
    /// Keeps the bytes of a file in memory alive and at one address.
    private let memory: MemoryFile?
    private var block: [Float]
    /// Frames read so far.
    private(set) var position = 0

    static let sampleRates = 1_000...768_000
    static let channelCounts = 1...64

    /// Frames that one ``read()`` returns at most.
    static let blockFrames = 16_384

    /// - Parameter name: what messages call it; without one, the path.
    convenience init(path: String, name: String? = nil) throws {
        let name = name ?? path
        let descriptor = try Self.open(path, name: name)
        do {
            try RIFFHeader.check(descriptor: descriptor, name: name)
        } catch {
            close(descriptor)
            throw error
        }
        var info = SF_INFO()
        // libsndfile closes the descriptor, also where it fails to open it.
        let handle = sf_open_fd(descriptor, Int32(SFM_READ), &info, 1)
        try self.init(handle, info, name: name, memory: nil)
    }

    convenience init(bytes: [UInt8], name: String) throws {
        guard !bytes.isEmpty else { throw Self.empty(name) }
        try bytes.withUnsafeBytes { try RIFFHeader.check($0, size: bytes.count, name: name) }
        let memory = MemoryFile(bytes)
        var info = SF_INFO()
        let handle = memory.open(&info)
        try self.init(handle, info, name: name, memory: memory)
    }

    private init(_ handle: OpaquePointer?, _ info: SF_INFO, name: String, memory: MemoryFile?) throws {
        guard let handle else { throw Self.refusal(name) }
        self.handle = handle
        self.memory = memory
        self.name = name
        sampleRate = Int(info.samplerate)
        channels = Int(info.channels)
        let type = info.format & Int32(SF_FORMAT_TYPEMASK)
        // An MPEG stream's length is an estimate; a stream of unknown length says SF_COUNT_MAX.
        let promises = type != SF_FORMAT_MPEG && info.frames > 0 && info.frames < Int64.max
        promisedFrames = promises ? Int(info.frames) : nil
        block = []
        try Self.check(sampleRate: sampleRate, channels: channels, of: name)
        block = [Float](repeating: 0, count: Self.blockFrames * channels)
    }

    deinit { sf_close(handle) }

    /// Throws if a header's sample rate or number of channels makes no sense.
    static func check(sampleRate: Int, channels: Int, of name: String) throws {
        guard sampleRates.contains(sampleRate) else {
            throw AudioError(
                .dataLoss,
                """
                \(name): the header says \(sampleRate) samples a second; expected \(sampleRates.lowerBound) to \
                \(sampleRates.upperBound)
                """)
        }
        guard channelCounts.contains(channels) else {
            throw AudioError(
                .unsupported,
                """
                \(name): the header says \(channels) channels; expected \(channelCounts.lowerBound) to \
                \(channelCounts.upperBound)
                """)
        }
    }

    /// Seconds of `frames`, to the millisecond, for messages.
    func seconds(_ frames: Int) -> Double { (Double(frames) / Double(sampleRate) * 1000).rounded() / 1000 }

    /// The next block, channels interleaved, up to ``blockFrames`` frames; none at the end.
    func read<R>(_ body: (UnsafeBufferPointer<Float>) throws -> R) throws -> R {
        let channels = channels
        let frames = block.withUnsafeMutableBufferPointer {
            Int(sf_readf_float(handle, $0.baseAddress, Int64(Self.blockFrames)))
        }
        if frames <= 0, sf_error(handle) != SF_ERR_NO_ERROR {
            throw AudioError(
                .dataLoss,
                """
                \(name): cannot be decoded after \(seconds(position)) s: \(Self.reason(handle))
                """)
        }
        position += max(frames, 0)
        return try block.withUnsafeBufferPointer {
            try body(UnsafeBufferPointer(rebasing: $0[..<(max(frames, 0) * channels)]))
        }
    }
}

extension SoundFile {
    /// A descriptor of the file, which the caller closes.
    /// - Throws: ``AudioError`` for what is no regular file, which is never waited for, and for an empty one.
    static func open(_ path: String, name: String) throws -> Int32 {
        do {
            let file = try FileDescriptor(reading: path, name: name)
            guard try file.size > 0 else { throw empty(name) }
            return try file.duplicate()
        } catch let error as FileError {
            throw AudioError(
                [.notFound, .invalidArgument].contains(error.code) ? error.code : .unavailable, error.message)
        }
    }

    private static func empty(_ name: String) -> AudioError {
        AudioError(.dataLoss, "\(name): is empty (0 bytes); expected a sound file")
    }

    /// Why libsndfile did not open a file.
    private static func refusal(_ name: String) -> AudioError {
        guard sf_error(nil) != SF_ERR_UNRECOGNISED_FORMAT else {
            return AudioError(
                .unsupported,
                """
                \(name): is not a sound file; expected WAV, FLAC, Ogg, MP3 or another format that libsndfile reads
                """)
        }
        return AudioError(.dataLoss, "\(name): is damaged, or of a kind that libsndfile does not read: \(reason(nil))")
    }

    /// libsndfile's words, without its adornments, and with better ones where its own mislead.
    private static func reason(_ handle: OpaquePointer?) -> String {
        var text = String(cString: sf_strerror(handle))
        if text.hasPrefix("Error : ") { text.removeFirst(8) }
        if text.contains("SF_INFO") { return "the header gives no valid sample rate or number of channels" }
        if text.hasPrefix("File does not exist") { return "nothing that can be decoded follows the header" }
        return text.hasSuffix(".") ? String(text.dropLast()) : text
    }
}
