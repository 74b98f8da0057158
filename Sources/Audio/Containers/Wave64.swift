/// Sony's W64: chunks with 16-byte names and 64-bit lengths that count the header.
enum Wave64 {
    private static let mostChunks = 4096

    static func walk(
        _ bytes: RecordingBytes, _ start: Int, _ name: String, _ plan: inout SoundPlan
    ) throws -> Int {
        var pieces = Patches(start)
        var blockBytes = 1
        var offset = start + 40
        for _ in 0..<mostChunks {
            guard let chunk = bytes.array(at: offset, count: 24) else { break }
            let length = chunk[16...].little
            let tag = chunk[..<4].tag
            if tag == "fmt ", let format = bytes.array(at: offset + 24, count: 16) {
                try SoundFile.check(
                    sampleRate: format[4..<8].little, channels: format[2..<4].little, of: name)
                blockBytes = max(format[12..<14].little, 1)
            }
            if tag == "data" {
                let there = bytes.size - offset - 24
                let kept = Lengths.check(length - 24, there, blockBytes, &plan)
                if kept != length - 24, length <= 24 {
                    pieces.replace(at: offset + 16, with: littleBytes(UInt64(there + 24)))
                }
                break
            }
            guard length >= 24, length <= bytes.size - offset else { break }
            offset += (length + 7) / 8 * 8
        }
        plan.streams.append(SoundStream(pieces.all(upTo: bytes.size)))
        return bytes.size
    }
}

/// The policy about lengths of samples in bytes.
enum Lengths {
    /// Compares what a header claims with what is there; returns how many bytes are to be read.
    ///
    /// More than a block that is missing is told. A length of 0 with bytes behind it was never filled in.
    static func check(_ claimed: Int, _ there: Int, _ blockBytes: Int, _ plan: inout SoundPlan) -> Int {
        if claimed <= 0, there >= blockBytes {
            plan.add(.wrongLength, "the header says that there are no samples; \(there) bytes follow, which were read")
            return there
        }
        if claimed - there > blockBytes {
            plan.add(.cutShort, "is cut short: the header promises \(claimed) bytes of samples, \(max(there, 0)) came")
        }
        return min(claimed, there)
    }
}
