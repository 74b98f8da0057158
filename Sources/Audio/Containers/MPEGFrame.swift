/// The header of a frame of MPEG audio, layers I to III (ISO/IEC 11172-3 and 13818-3, and 2.5 of Fraunhofer's).
struct MPEGFrame: Equatable {
    /// 4 bytes: sync, version, layer, protection; bit rate, rate, padding; channels.
    let header: [UInt8]
    /// Bytes with the header.
    let length: Int
    /// Samples of each channel.
    let samples: Int
    /// Kilobits a second.
    let bitRate: Int
    private let isLowRate: Bool
    private let isMono: Bool

    /// The most bytes that a frame has.
    static let longest = 2881

    init?(_ header: ArraySlice<UInt8>) {
        guard header.count == 4, let first = header.first, first == 0xFF else { return nil }
        let bytes = Array(header)
        let (version, layer) = (Int(bytes[1] >> 3 & 3), 4 - Int(bytes[1] >> 1 & 3))
        let (rateIndex, bitRateIndex) = (Int(bytes[2] >> 2 & 3), Int(bytes[2] >> 4))
        // Version 1 and layer 4 are reserved; a bit rate of 0 would be a frame of any length.
        guard bytes[1] >> 5 == 7, version != 1, layer < 4, rateIndex < 3, (1..<15).contains(bitRateIndex) else {
            return nil
        }
        isLowRate = version != 3
        isMono = bytes[3] >> 6 == 3
        bitRate = Self.bitRate(bitRateIndex, layer: layer, isLowRate: isLowRate)
        let rate = [44_100, 48_000, 32_000][rateIndex] >> (version == 3 ? 0 : version == 2 ? 1 : 2)
        let padding = Int(bytes[2] >> 1 & 1)
        switch layer {
        case 1:
            samples = 384
            length = (12_000 * bitRate / rate + padding) * 4
        case 3 where isLowRate:
            samples = 576
            length = 72_000 * bitRate / rate + padding
        default:
            samples = 1152
            length = 144_000 * bitRate / rate + padding
        }
        self.header = bytes
    }

    /// Whether the other may follow it in one stream: the same version, layer, rate, and number of channels.
    func goesOn(in other: MPEGFrame) -> Bool {
        header[1] & 0xFE == other.header[1] & 0xFE && header[2] & 0x0C == other.header[2] & 0x0C
            && isMono == other.isMono
    }

    /// Where the frame's samples begin: behind the header and what layer III keeps there.
    var sideInformationEnd: Int { 4 + (isLowRate ? (isMono ? 9 : 17) : (isMono ? 17 : 32)) }

    private static func bitRate(_ index: Int, layer: Int, isLowRate: Bool) -> Int {
        let table: [Int] =
            switch (isLowRate, layer) {
            case (false, 1): [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448]
            case (false, 2): [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384]
            case (false, _): [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320]
            case (true, 1): [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256]
            case (true, _): [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160]
            }
        return table[index - 1]
    }
}

/// The first frame of many streams: no sound, but the number of frames that follow (Xing's, and LAME's in its place).
struct XingHeader {
    /// Frames that follow, and where in the frame the number lies; nil where it is not said.
    let frames: Int?
    let framesOffset: Int

    init?(_ bytes: RecordingBytes, at offset: Int, _ frame: MPEGFrame) {
        guard let header = bytes.array(at: offset + frame.sideInformationEnd, count: 12),
            ["Xing", "Info"].contains(header[..<4].tag)
        else { return nil }
        frames = header[7] & 1 != 0 ? header[8...].big : nil
        framesOffset = frame.sideInformationEnd + 8
    }

    /// A frame of that kind for a stream of `frames` frames like `frame`, in layer III.
    static func made(like frame: MPEGFrame, frames: Int) -> [UInt8]? {
        // Long enough for the number, with no checksum and no padding.
        let header = [frame.header[0], frame.header[1] | 1, frame.header[2] & 0x0D | 0x80, frame.header[3]]
        guard let made = MPEGFrame(header[...]), made.length >= made.sideInformationEnd + 12 else { return nil }
        var bytes = header + [UInt8](repeating: 0, count: made.length - 4)
        let tag = Array("Xing".utf8) + bigBytes(UInt32(1)) + bigBytes(UInt32(clamping: frames))
        bytes.replaceSubrange(made.sideInformationEnd..<made.sideInformationEnd + 12, with: tag)
        return bytes
    }
}
