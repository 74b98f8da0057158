/// Native FLAC. Its frames say where none of them ends, so that the next stream is found by how it must begin.
enum FLAC {
    static func walk(
        _ bytes: RecordingBytes, _ start: Int, _ name: String, _ plan: inout SoundPlan
    ) throws -> Int {
        let end = next(in: bytes, after: start)
        var stream = SoundStream(start..<end)
        // A block header of 4 bytes, sizes of blocks (2 each) and frames (3 each); then rate, channels and bits in 28
        // bits, and 36 of the number of frames.
        if let info = bytes.array(at: start + 4, count: 22), info[0] & 0x7F == 0 {
            stream.blockFrames = max(info[6..<8].big, 1)
            let frames = info[17..<22].big & 0xF_FFFF_FFFF
            stream.promisedFrames = frames > 0 ? frames : nil
        }
        plan.streams.append(stream)
        return end
    }

    /// Where the next stream begins: with its mark and a first block of 34 bytes, which no frame holds by chance.
    private static func next(in bytes: RecordingBytes, after start: Int) -> Int {
        var place = start + 4
        while let found = bytes.firstPlace(of: Array("fLaC".utf8), in: place..<bytes.size) {
            if let block = bytes.array(at: found + 4, count: 4), block[0] & 0x7F == 0, block[1...] == [0, 0, 34] {
                return found
            }
            place = found + 4
        }
        return bytes.size
    }
}
