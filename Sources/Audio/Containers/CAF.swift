/// Apple's CAF: chunks with 64-bit lengths, −1 for one that goes to the file's end.
enum CAF {
    private static let mostChunks = 4096

    static func walk(
        _ bytes: RecordingBytes, _ start: Int, _ name: String, _ plan: inout SoundPlan
    ) throws -> Int {
        var pieces = Patches(start)
        var blockBytes = 1
        var offset = start + 8
        for _ in 0..<mostChunks {
            guard let chunk = bytes.array(at: offset, count: 12) else { break }
            let isToEnd = chunk[4...].allSatisfy { $0 == 0xFF }
            let length = chunk[4...].big
            let tag = chunk[..<4].tag
            if tag == "desc", let format = bytes.array(at: offset + 12, count: 32) {
                blockBytes = max(format[16..<20].big, 1)
            }
            if tag == "data" {
                // The length counts a number of edits before the samples.
                let there = bytes.size - offset - 16
                if !isToEnd, Lengths.check(length - 4, there, blockBytes, &plan) != length - 4 {
                    pieces.replace(at: offset + 4, with: bigBytes(UInt64(max(there + 4, 0))))
                }
                break
            }
            guard !isToEnd, length <= bytes.size - offset - 12 else { break }
            offset += 12 + length
        }
        plan.streams.append(SoundStream(pieces.all(upTo: bytes.size)))
        return bytes.size
    }
}
