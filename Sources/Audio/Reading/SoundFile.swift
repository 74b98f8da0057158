import CSndFile
import Files
import Glibc

/// A stream of sound, decoded block by block with libsndfile.
final class SoundFile {
    let name: String
    let sampleRate: Int
    let channels: Int
    /// Frames (a sample of each channel) that the header promises; nil where the format makes no reliable promise.
    let promisedFrames: Int?
    /// Fewer frames than this may be missing without a word.
    let blockFrames: Int
    /// Whether the file may hold any number as a sample.
    let holdsFloats: Bool

    private let handle: OpaquePointer
    /// Must live as long as the handle.
    private let file: SplicedFile
    private var block: [Float]
    /// Frames read so far.
    private(set) var position = 0

    static let sampleRates = 1_000...768_000
    static let channelCounts = 1...64

    /// Frames that one ``read(_:)`` returns at most.
    static let blockFrames = 16_384

    /// - Parameter name: what messages call it.
    init(_ bytes: RecordingBytes, _ stream: SoundStream, name: String) throws {
        file = SplicedFile(bytes, stream.pieces)
        var info = SF_INFO()
        guard let handle = file.open(&info) else { throw Self.refusal(name) }
        self.handle = handle
        self.name = name
        sampleRate = Int(info.samplerate)
        channels = Int(info.channels)
        let type = info.format & Int32(SF_FORMAT_TYPEMASK)
        let encoding = info.format & Int32(SF_FORMAT_SUBMASK)
        holdsFloats = encoding == SF_FORMAT_FLOAT || encoding == SF_FORMAT_DOUBLE
        // An MPEG stream's length is an estimate; a stream of unknown length says SF_COUNT_MAX.
        let promises = stream.isLengthKnown && type != SF_FORMAT_MPEG && info.frames > 0 && info.frames < Int64.max
        promisedFrames = [stream.promisedFrames, promises ? Int(info.frames) : nil].compactMap(\.self).max()
        blockFrames = stream.blockFrames
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
            throw DecodingFailure(
                name: name, text: "cannot be decoded after \(seconds(position)) s: \(Self.reason(handle))")
        }
        position += max(frames, 0)
        return try block.withUnsafeBufferPointer {
            try body(UnsafeBufferPointer(rebasing: $0[..<(max(frames, 0) * channels)]))
        }
    }

    /// What there is to say where fewer frames came than the header promised.
    var shortfall: Notice? {
        guard let promisedFrames, promisedFrames - position > blockFrames else { return nil }
        return Notice(
            .cutShort,
            """
            is damaged or cut short: the header promises \(promisedFrames) samples (\(seconds(promisedFrames)) s), \
            \(position) (\(seconds(position)) s) could be decoded
            """)
    }
}

extension SoundFile {
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
