import Files

/// Samples of 16 kHz mono, little-endian, with no header.
struct RawSamples {
    enum Format {
        /// Full scale ±32768.
        case int16
        /// Full scale ±1.
        case float32

        var byteCount: Int { self == .int16 ? 2 : 4 }
    }

    private let bytes: RecordingBytes
    private let format: Format
    private let name: String
    private var position = 0

    /// Samples that one ``read()`` returns at most.
    private static let blockSamples = 16_384

    init(_ bytes: RecordingBytes, _ format: Format, name: String) {
        self.bytes = bytes
        self.format = format
        self.name = name
    }

    /// The next samples, scaled to −1 ..< 1; none at the end.
    mutating func read() throws -> [Float] {
        var block = [UInt8](repeating: 0, count: Self.blockSamples * format.byteCount)
        let got = block.withUnsafeMutableBytes { bytes.copy(from: position, into: $0) }
        let count = got / format.byteCount
        guard count > 0 else { return [] }
        position += count * format.byteCount
        return try block.withUnsafeBytes { try samples(UnsafeRawBufferPointer(rebasing: $0[..<got]), count) }
    }

    /// The whole samples in `bytes`.
    static func int16(_ bytes: [UInt8]) -> [Float] {
        bytes.withUnsafeBytes { bytes in
            (0..<bytes.count / 2).map { index in
                let bits = bytes.loadUnaligned(fromByteOffset: 2 * index, as: Int16.self)
                return Float(Int16(littleEndian: bits)) / 32768
            }
        }
    }

    private func samples(_ bytes: UnsafeRawBufferPointer, _ count: Int) throws -> [Float] {
        guard format == .float32 else { return Self.int16(Array(bytes)) }
        return try (0..<count).map { index in
            let bits = bytes.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
            let sample = Float(bitPattern: UInt32(littleEndian: bits))
            guard abs(sample) <= SoundFile.greatestSample else {
                throw AudioError(
                    .dataLoss,
                    "\(name): a sample is \(sample); expected a finite number of a plausible size")
            }
            return sample
        }
    }

    /// What speaks against these being samples.
    var doubts: [Notice] {
        var doubts: [Notice] = []
        if bytes.size % format.byteCount != 0 {
            let expected = format == .int16 ? "s16le, an even number of bytes" : "float32, a multiple of 4 bytes"
            doubts.append(
                Notice(
                    .takenForSamples,
                    "ends in the middle of a sample; expected \(expected), and \(bytes.size) bytes came"))
        }
        if let likeness {
            doubts.append(
                Notice(.takenForSamples, "was taken for raw 16 kHz mono samples, though it looks like \(likeness)"))
        }
        return doubts
    }

    /// What the bytes look like, if not like samples.
    private var likeness: String? {
        switch bytes.signature {
        // A frame's header alone may be samples.
        case let known? where known.kind == .sound && known.name != "MP3" || bytes.array(at: 0, count: 3)?.tag == "ID3":
            return "a sound file (\(known.name))"
        case let known? where known.kind != .sound: return known.name
        default: break
        }
        return format == .int16 && isWhite ? "compressed or encrypted data" : nil
    }

    /// Whether the 16-bit samples at the beginning are as bytes are that follow no pattern: as loud as they can be, and
    /// without a relation between neighbours. No recording is both.
    private var isWhite: Bool {
        var block = [UInt8](repeating: 0, count: 1 << 16)
        let count = block.withUnsafeMutableBytes { bytes.copy(from: 0, into: $0) } / 2
        guard count >= 1024 else { return false }
        let samples = Self.int16(Array(block[..<(2 * count)]))
        var (sum, energy, neighbours, last) = (Float(0), Float(0), Float(0), Float(0))
        for sample in samples {
            sum += sample
            energy += sample * sample
            neighbours += sample * last
            last = sample
        }
        // Of evenly spread samples the mean is 0 and the mean square 1/3.
        return abs(sum) < 0.1 * Float(count) && energy / Float(count) > 0.25 && abs(neighbours) < 0.1 * energy
    }
}
