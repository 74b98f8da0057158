/// WAV, and its kin with 64-bit lengths (RF64, BW64): chunks with a name and a length, up to the data.
///
/// Walked before libsndfile, which reads a file that was cut short as if it were whole, reads nothing where the writer
/// left the length at 0, and refuses a chunk of peaks that has another size than it expects.
enum RIFF {
    /// No real file has so many chunks; a hostile one may.
    private static let mostChunks = 4096

    static func walk(
        _ bytes: RecordingBytes, _ start: Int, _ name: String, _ plan: inout SoundPlan
    ) throws -> Int {
        var header = Header()
        var offset = start + 12
        var pieces = Patches(start)
        for _ in 0..<mostChunks {
            guard let chunk = bytes.array(at: offset, count: 8) else { break }
            let length = chunk[4...].little
            let tag = chunk[..<4].tag
            offset += 8
            switch tag {
            case "data":
                return data(bytes, offset, length, header, pieces, &plan)
            case "ds64":
                header.longLength = bytes.bytes(at: offset + 8, count: 8)?.little
            case "fmt ":
                try header.read(bytes.array(at: offset, count: 16), name)
            case "PEAK" where length != 8 + 8 * header.channels:
                // Peaks of nothing: a hint that nobody needs.
                pieces.replace(at: offset - 8, with: Array("JUNK".utf8))
                plan.add(
                    .passedOver,
                    "its chunk of peaks has \(length) bytes, expected \(8 + 8 * header.channels); passed over")
            default: break
            }
            offset += length + length % 2
        }
        // No data: libsndfile has the words.
        plan.streams.append(SoundStream(pieces.all(upTo: bytes.size)))
        return bytes.size
    }

    private static func data(
        _ bytes: RecordingBytes, _ offset: Int, _ claimed: Int, _ header: Header, _ pieces: Patches,
        _ plan: inout SoundPlan
    ) -> Int {
        var pieces = pieces
        let there = bytes.size - offset
        var length = claimed == 0xFFFF_FFFF ? header.longLength ?? claimed : claimed
        let isUnknown = length == claimed && isUnknown(claimed)
        if length == 0, there >= header.blockBytes, !isChunks(bytes, offset) {
            plan.add(.wrongLength, "the header says that there are no samples; \(there) bytes follow, which were read")
            length = there
            pieces.replace(at: offset - 4, with: littleBytes(UInt32(clamping: there)))
        } else if !isUnknown, length - there > header.blockBytes {
            plan.add(
                .cutShort,
                "is cut short: the header promises \(length) bytes of samples, \(there) came")
        }
        let end = isUnknown || length >= there ? bytes.size : offset + length
        let next = min(end + (length % 2), bytes.size)
        let rest = isUnknown ? bytes.size : chunksEnd(bytes, next)
        var stream = SoundStream(pieces.all(upTo: max(rest, end)))
        stream.blockFrames = header.blockFrames
        plan.streams.append(stream)
        if rest < bytes.size, bytes.bytes(at: rest, count: 4)?.tag != "RIFF" {
            plan.add(.passedOver, "\(bytes.size - rest) bytes behind the samples that the header counts were left out")
        }
        return rest
    }

    /// Whether nothing but chunks lies from `offset` to the end, so that there are no samples indeed.
    private static func isChunks(_ bytes: RecordingBytes, _ offset: Int) -> Bool {
        chunksEnd(bytes, offset) >= bytes.size
    }

    /// Where the chunks that begin at `offset` end: other chunks may follow the data, and so may another file.
    private static func chunksEnd(_ bytes: RecordingBytes, _ start: Int) -> Int {
        var offset = start
        for _ in 0..<mostChunks {
            guard let chunk = bytes.array(at: offset, count: 8), chunk[..<4].tag != "RIFF",
                chunk[..<4].allSatisfy({ (0x20...0x7E).contains($0) })
            else { break }
            let length = chunk[4...].little
            guard length <= bytes.size - offset - 8 else { break }
            offset = min(offset + 8 + length + length % 2, bytes.size)
        }
        // A byte or so to fill up is nothing to speak of.
        return bytes.size - offset < 8 ? bytes.size : offset
    }

    /// What writers to a pipe put where they do not know the length: ffmpeg 0xFFFFFFFF, SoX and arecord about 2³¹.
    private static func isUnknown(_ length: Int) -> Bool {
        (0x7FFF_0000...0x8000_0000).contains(length) || length >= 0xFFFF_0000
    }

    /// What the format chunk says.
    private struct Header {
        var channels = 0
        var blockBytes = 1
        /// Of MPEG a frame at most; of other codecs the block that they deal with at a time counts as bytes.
        var blockFrames = 1
        var longLength: Int?

        mutating func read(_ format: [UInt8]?, _ name: String) throws {
            guard let format else { return }
            channels = format[2..<4].little
            try SoundFile.check(sampleRate: format[4..<8].little, channels: channels, of: name)
            blockBytes = max(format[12..<14].little, 1)
            // MPEG, MP3; of ADPCM, GSM and their kin a block is at most so long as well.
            blockFrames = [0x01, 0x03, 0xFFFE].contains(format[..<2].little) ? 1 : 1152
        }
    }
}

/// A part of a recording with some of its bytes replaced.
struct Patches {
    private let start: Int
    private var made: [(offset: Int, bytes: [UInt8])] = []

    init(_ start: Int) { self.start = start }

    /// In the order of their places.
    mutating func replace(at offset: Int, with bytes: [UInt8]) { made.append((offset, bytes)) }

    /// All of it up to `end`.
    func all(upTo end: Int) -> [SplicedFile.Piece] {
        var pieces: [SplicedFile.Piece] = []
        var place = start
        for patch in made where patch.offset >= place && patch.offset + patch.bytes.count <= end {
            if patch.offset > place { pieces.append(.range(place..<patch.offset)) }
            pieces.append(.made(patch.bytes))
            place = patch.offset + patch.bytes.count
        }
        if place < end { pieces.append(.range(place..<end)) }
        return pieces
    }
}
