/// AIFF and AIFC: chunks with lengths of their highest byte first.
enum AIFF {
    private static let mostChunks = 4096

    static func walk(
        _ bytes: RecordingBytes, _ start: Int, _ name: String, _ plan: inout SoundPlan
    ) throws -> Int {
        let isCompressed = bytes.bytes(at: start + 8, count: 4)?.tag == "AIFC"
        var pieces = Patches(start)
        var (common, frameBytes, claimedFrames) = (0, 1, 0)
        var end = bytes.size
        var offset = start + 12
        for _ in 0..<mostChunks {
            guard let chunk = bytes.array(at: offset, count: 8) else { break }
            let length = chunk[4...].big
            if chunk[..<4].tag == "COMM", let format = bytes.array(at: offset + 8, count: 8) {
                common = offset + 8
                claimedFrames = format[2..<6].big
                frameBytes = max(format[..<2].big * ((format[6..<8].big + 7) / 8), 1)
            }
            if chunk[..<4].tag == "SSND" {
                let there = bytes.size - offset - 16
                // The codec of AIFC may need fewer bytes a sample than the header says.
                if common > 0, claimedFrames == 0 || length <= 8, there >= frameBytes, !isCompressed,
                    !isChunks(bytes, offset + 16)
                {
                    _ = Lengths.check(0, there, frameBytes, &plan)
                    pieces.replace(at: common + 2, with: bigBytes(UInt32(clamping: there / frameBytes)))
                    pieces.replace(at: offset + 4, with: bigBytes(UInt32(clamping: there + 8)))
                } else {
                    let claimed = isCompressed ? length - 8 : max(length - 8, claimedFrames * frameBytes)
                    _ = Lengths.check(claimed, there, frameBytes, &plan)
                    end = min(offset + 8 + length + length % 2, bytes.size)
                }
                break
            }
            offset += 8 + length + length % 2
        }
        // A chunk behind the samples may be the header's, which libsndfile looks for.
        if common == 0 || bytes.bytes(at: end, count: 4)?.tag != "FORM" { end = bytes.size }
        plan.streams.append(SoundStream(pieces.all(upTo: end)))
        return end
    }

    /// Whether known chunks lie from `offset` to the end.
    private static func isChunks(_ bytes: RecordingBytes, _ start: Int) -> Bool {
        var offset = start
        for _ in 0..<mostChunks where offset < bytes.size {
            guard let chunk = bytes.array(at: offset, count: 8),
                chunk[..<4].allSatisfy({ (0x20...0x7E).contains($0) })
            else { return false }
            let length = chunk[4...].big
            offset += 8 + length + length % 2
        }
        return offset >= bytes.size
    }
}
