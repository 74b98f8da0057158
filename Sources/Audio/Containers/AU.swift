/// Sun's AU: one header, and samples.
enum AU {
    static func walk(
        _ bytes: RecordingBytes, _ start: Int, _ name: String, _ plan: inout SoundPlan
    ) throws -> Int {
        var pieces = Patches(start)
        var end = bytes.size
        if let header = bytes.array(at: start, count: 24) {
            let (data, claimed) = (header[4..<8].big, header[8..<12].big)
            try SoundFile.check(sampleRate: header[16..<20].big, channels: header[20...].big, of: name)
            let there = bytes.size - start - data
            // A length that is unknown is written as 2³² − 1.
            if claimed != 0xFFFF_FFFF {
                let kept = Lengths.check(claimed, there, 8 * header[20...].big, &plan)
                if kept != claimed { pieces.replace(at: start + 8, with: bigBytes(UInt32.max)) }
                let next = start + data + kept
                if bytes.bytes(at: next, count: 4)?.tag == ".snd" { end = next }
            }
        }
        plan.streams.append(SoundStream(pieces.all(upTo: end)))
        return end
    }
}
