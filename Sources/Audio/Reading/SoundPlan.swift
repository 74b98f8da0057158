/// How the bytes of a recording are to be decoded: its streams, one after another, each as libsndfile is to see it.
///
/// Libraries stop where their stream does, and hold a file against what its header says. A plan is made by walking the
/// container first: so what lies behind the first stream is heard, a wrong length is put right, and what the header
/// promised is known when the samples have been counted.
struct SoundPlan {
    var streams: [SoundStream] = []
    var notices: [Notice] = []

    /// More streams than this lie in no file that somebody made.
    static let mostStreams = 10_000

    mutating func add(_ code: Notice.Code, _ text: String) { notices.append(Notice(code, text)) }
}

/// One stream of a recording.
struct SoundStream {
    var pieces: [SplicedFile.Piece]
    /// Frames (a sample of each channel) that its header promises; nil where it promises nothing that can be believed.
    var promisedFrames: Int?
    /// Frames that the codec deals with at a time: less than this may be missing without a word.
    var blockFrames = 1
    /// Whether what libsndfile says about the length can be believed.
    var isLengthKnown = true

    init(_ pieces: [SplicedFile.Piece]) { self.pieces = pieces }
    init(_ range: Range<Int>) { pieces = [.range(range)] }
}

extension SoundPlan {
    /// The plan of what `bytes` hold; nil where they begin like no container that is walked here, and libsndfile may
    /// try on its own.
    /// - Throws: ``AudioError`` for a header that makes no sense.
    static func make(_ bytes: RecordingBytes, name: String) throws -> SoundPlan? {
        var plan = SoundPlan()
        var offset = ID3.end(in: bytes, from: 0)
        while offset < bytes.size, let walk = walker(bytes, at: offset, isFirst: plan.streams.isEmpty) {
            guard plan.streams.count < mostStreams else {
                throw AudioError(.dataLoss, "\(name): has more than \(mostStreams) streams")
            }
            let end = try walk(bytes, offset, name, &plan)
            offset = max(end, offset + 1)
        }
        return plan.streams.isEmpty ? nil : plan
    }

    /// Adds the streams that begin at an offset to a plan; returns where they end.
    typealias Walker = (RecordingBytes, Int, String, inout SoundPlan) throws -> Int

    private static func walker(_ bytes: RecordingBytes, at offset: Int, isFirst: Bool) -> Walker? {
        guard let start = bytes.array(at: offset, count: 4) else { return nil }
        let kind = bytes.bytes(at: offset + 8, count: 4)?.tag ?? ""
        switch (start.tag, kind) {
        case ("RIFF", "WAVE"), ("RF64", "WAVE"), ("BW64", "WAVE"): return RIFF.walk
        case ("riff", _): return Wave64.walk
        case ("FORM", "AIFF"), ("FORM", "AIFC"): return AIFF.walk
        case (".snd", _): return AU.walk
        case ("caff", _): return CAF.walk
        case ("fLaC", _): return FLAC.walk
        case ("OggS", _): return Ogg.walk
        default:
            // Only a file that begins with nothing known is searched for frames.
            guard isFirst, bytes.signature?.kind != .media, MPEG.begins(in: bytes, at: offset) else { return nil }
            return MPEG.walk
        }
    }
}

/// The tag that programs put before MP3, and some before other streams.
enum ID3 {
    /// Where the tags that begin at `offset` end: `offset` itself where there are none.
    static func end(in bytes: RecordingBytes, from offset: Int) -> Int {
        var offset = offset
        while let header = bytes.array(at: offset, count: 10), header[..<3].tag == "ID3", header[3] < 0xFF,
            header[6...].allSatisfy({ $0 < 0x80 })
        {
            let size = header[6...].reduce(0) { $0 << 7 | Int($1) }
            // A flag says that the header is repeated at the end.
            offset += 10 + size + (header[5] & 0x10 == 0 ? 0 : 10)
        }
        return min(offset, bytes.size)
    }
}
