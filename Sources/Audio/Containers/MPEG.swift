/// MPEG audio: frames, each with its own header, between tags and whatever else programs left there.
///
/// libsndfile stops where it takes the file's length to end, which it estimates by the first frame where nothing says
/// it; gives up at what is no frame; and goes on in another rate as if it were the first. So frames are walked: what is
/// between them is left out, a new rate begins a new stream, and the number of frames is told as it is.
enum MPEG {
    /// Bytes of zeros and rubbish before the first frame.
    private static let longestLeader = 1 << 20
    /// So many frames in a row are no accident.
    private static let surelyFrames = 4

    /// Whether a stream begins at `offset`, or behind some rubbish.
    static func begins(in bytes: RecordingBytes, at offset: Int) -> Bool {
        firstFrame(in: bytes, offset..<min(offset + longestLeader, bytes.size)) != nil
    }

    static func walk(
        _ bytes: RecordingBytes, _ start: Int, _ name: String, _ plan: inout SoundPlan
    ) throws -> Int {
        var run: Run?
        var rubbish = 0
        var offset = start
        func finish() { run?.finish(&plan) }
        while offset < bytes.size {
            if let frame = frame(in: bytes, at: offset, after: run) {
                let xing = XingHeader(bytes, at: offset, frame)
                if run == nil || run?.last.goesOn(in: frame) == false || xing != nil {
                    finish()
                    run = Run(frame, offset, xing)
                    guard plan.streams.count < SoundPlan.mostStreams else {
                        throw AudioError(.dataLoss, "\(name): has more than \(SoundPlan.mostStreams) streams")
                    }
                } else {
                    run?.add(frame, offset)
                }
                offset = min(offset + frame.length, bytes.size)
                continue
            }
            let tag = Tag.end(in: bytes, from: offset)
            if tag > offset {
                offset = tag
                continue
            }
            let next = firstFrame(in: bytes, offset..<bytes.size) ?? bytes.size
            // What is left of a frame at the end is a cut, and less than a frame's worth.
            if next < bytes.size || next - offset >= MPEGFrame.longest { rubbish += next - offset }
            offset = next
        }
        finish()
        if rubbish > 0 { plan.add(.passedOver, "\(rubbish) bytes between its frames are no MPEG audio; passed over") }
        return bytes.size
    }

    /// A frame that goes on where the run ended, or is followed by another, by a tag, or by the end.
    private static func frame(in bytes: RecordingBytes, at offset: Int, after run: Run?) -> MPEGFrame? {
        guard let header = bytes.bytes(at: offset, count: 4), let frame = MPEGFrame(header) else { return nil }
        let end = offset + frame.length
        guard end < bytes.size else { return end == bytes.size ? frame : nil }
        if let run, run.end == offset, run.last.goesOn(in: frame) { return frame }
        if bytes.bytes(at: end, count: 4).flatMap(MPEGFrame.init) != nil { return frame }
        return Tag.end(in: bytes, from: end) > end || bytes.size - end < 4 ? frame : nil
    }

    /// The first place in `range` with frames in a row.
    private static func firstFrame(in bytes: RecordingBytes, _ range: Range<Int>) -> Int? {
        var place = range.lowerBound
        while let found = bytes.firstPlace(of: [0xFF], in: place..<range.upperBound) {
            if isRow(in: bytes, at: found) { return found }
            place = found + 1
        }
        return nil
    }

    private static func isRow(in bytes: RecordingBytes, at offset: Int) -> Bool {
        var offset = offset
        var last: MPEGFrame?
        for _ in 0..<surelyFrames {
            guard let header = bytes.bytes(at: offset, count: 4), let frame = MPEGFrame(header),
                last?.goesOn(in: frame) ?? true
            else { return false }
            last = frame
            offset += frame.length
            // Whoever has few frames must end with them.
            if offset == bytes.size { return true }
        }
        return true
    }

    /// Frames that make one stream.
    private struct Run {
        private var pieces: [Range<Int>]
        private let first: MPEGFrame
        private(set) var last: MPEGFrame
        private let xing: XingHeader?
        /// That sound.
        private var count: Int
        private var isVariable = false

        init(_ frame: MPEGFrame, _ offset: Int, _ xing: XingHeader?) {
            (first, last, self.xing) = (frame, frame, xing)
            pieces = [offset..<offset + frame.length]
            count = xing == nil ? 1 : 0
        }

        mutating func add(_ frame: MPEGFrame, _ offset: Int) {
            count += 1
            isVariable = isVariable || frame.bitRate != first.bitRate
            last = frame
            let range = offset..<offset + frame.length
            if let previous = pieces.last, previous.upperBound == offset {
                pieces[pieces.count - 1] = previous.lowerBound..<range.upperBound
            } else {
                pieces.append(range)
            }
        }

        /// Where the last frame ends.
        var end: Int { pieces.last?.upperBound ?? 0 }

        /// Adds the stream to a plan.
        func finish(_ plan: inout SoundPlan) {
            var stream = SoundStream(pieces.map { .range($0) })
            stream.isLengthKnown = false
            if let claimed = xing?.frames {
                if claimed > count + 1 {
                    plan.add(
                        .cutShort,
                        "is cut short: the header promises \(claimed) frames of \(first.samples) samples, \(count) came"
                    )
                }
                // libsndfile would stop at a number that is too small.
                if claimed < count { stream.pieces = patched(count) }
            } else if isVariable, let made = XingHeader.made(like: first, frames: count) {
                stream.pieces.insert(.made(made), at: 0)
            }
            plan.streams.append(stream)
        }

        private func patched(_ count: Int) -> [SplicedFile.Piece] {
            guard let xing, let start = pieces.first else { return pieces.map { .range($0) } }
            var patches = Patches(start.lowerBound)
            patches.replace(at: start.lowerBound + xing.framesOffset, with: bigBytes(UInt32(clamping: count)))
            return patches.all(upTo: start.upperBound) + pieces.dropFirst().map { .range($0) }
        }
    }

    /// What other programs put before, behind and between frames.
    private enum Tag {
        /// Where the tag that begins at `offset` ends; `offset` where none does.
        static func end(in bytes: RecordingBytes, from offset: Int) -> Int {
            let behind = ID3.end(in: bytes, from: offset)
            guard behind == offset, let start = bytes.array(at: offset, count: min(32, bytes.size - offset)) else {
                return behind
            }
            if start.starts(with: "TAG".utf8), bytes.size - offset >= 128 { return offset + 128 }
            if start.starts(with: "APETAGEX".utf8), start.count == 32 {
                // The length counts the footer, not the header, which this is where a flag says so.
                let isHeader = start[23] & 0x20 != 0
                return min(offset + 32 + (isHeader ? start[12..<16].little : 0), bytes.size)
            }
            return offset
        }
    }
}
