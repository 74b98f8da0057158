/// Sound as the bytes of a WAV file.
package enum WAV {
    package enum Encoding: UInt16 {
        /// 16-bit integers; what is beyond full scale is cut to it.
        case pcm16 = 1
        /// The samples as they are.
        case float32 = 3
    }

    package static func bytes(_ clip: AudioClip, _ encoding: Encoding) -> [UInt8] {
        let width = encoding == .pcm16 ? 2 : 4
        // The header counts bytes in 32 bits: what is beyond 4 GB is left out rather than counted wrong.
        let samples = clip.samples.prefix((Int(UInt32.max) - 64) / width)
        var out: [UInt8] = []
        out.reserveCapacity(samples.count * width + 64)
        let rate = UInt32(clip.rate)
        out += Array("RIFF".utf8) + little(UInt32(48 + samples.count * width)) + Array("WAVEfmt ".utf8)
        out += little(UInt32(16)) + little(encoding.rawValue) + little(UInt16(1)) + little(rate)
        out += little(rate * UInt32(width)) + little(UInt16(width)) + little(UInt16(width * 8))
        out += Array("fact".utf8) + little(UInt32(4)) + little(UInt32(samples.count))
        out += Array("data".utf8) + little(UInt32(samples.count * width))
        for sample in samples {
            switch encoding {
            case .float32: append(sample.bitPattern, to: &out)
            case .pcm16:
                let value = sample.isNaN ? 0 : min(max(sample, -1), 1)
                append(Int16((value * 32767).rounded()), to: &out)
            }
        }
        return out
    }

    private static func append(_ value: some FixedWidthInteger, to out: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { out.append(contentsOf: $0) }
    }

    package static func little(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian, Array.init)
    }
}
