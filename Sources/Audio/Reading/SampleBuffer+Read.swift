import Glibc

extension SampleBuffer {
    /// Reads a recording: decoded, averaged to mono, resampled to 16 kHz; block by block, in bounded memory.
    ///
    /// - The mono signal is the mean of the channels. For stereo that is what `ffmpeg -ac 1` does, and with it
    ///   openai/whisper; ffmpeg weighs the channels of surround sound, we do not.
    /// - n samples at another rate become round(n·16000/rate).
    /// - Samples beyond ±1, which float formats hold, stay.
    ///
    /// - Parameters:
    ///   - seconds: the part to keep, half-open; it may reach beyond the end, but must not start there. These are the
    ///     samples that cutting the whole recording afterwards gives; it is decoded from its start.
    /// - Throws: ``AudioError`` with the recording's name: not there, not audio, empty, cut short, a sample that is no
    ///   number, a sample rate or number of channels that makes no sense, no space for the temporary file.
    public static func read(_ source: AudioSource, seconds: Range<Double>? = nil) throws -> SampleBuffer {
        try read(source, seconds: seconds, into: SampleSpool(name: source.description))
    }

    package static func read(
        _ source: AudioSource, seconds: Range<Double>? = nil, into spool: SampleSpool
    ) throws -> SampleBuffer {
        var spool = CroppingSpool(spool, keeping: try sampleRange(seconds, of: source))
        switch source {
        case .file(let path): try decode(try SoundFile(path: path), into: &spool)
        case .bytes(let bytes, let name): try decode(try SoundFile(bytes: bytes, name: name), into: &spool)
        case .raw(let descriptor, let name):
            var raw = try RawSamples(descriptor: descriptor, name: name)
            try raw.read(into: &spool)
        case .pcm(let bytes, let name):
            try RawSamples.samples(bytes, name: name).withUnsafeBufferPointer { try spool.append($0) }
        case .spooled(let path, .file, let name): try decode(try SoundFile(path: path, name: name), into: &spool)
        case .spooled(let path, let encoding, let name):
            let descriptor = try SoundFile.open(path, name: name)
            defer { close(descriptor) }
            var raw = try RawSamples(
                descriptor: descriptor, name: name, format: encoding == .f32le ? .float32 : .int16)
            try raw.read(into: &spool)
        }
        return try spool.finish(name: source.description)
    }

    private static func decode(_ file: SoundFile, into spool: inout CroppingSpool) throws {
        let resampler = try Resampler(inputRate: file.sampleRate)
        var mono = [Float](repeating: 0, count: SoundFile.blockFrames)
        while !spool.isFull {
            let frames = try file.read { block in
                try file.check(block)
                return mix(block, channels: file.channels, into: &mono)
            }
            if frames == 0 { break }
            try mono.withUnsafeBufferPointer { mono in
                try resampler.process(UnsafeBufferPointer(rebasing: mono[..<frames])) { try spool.append($0) }
            }
        }
        guard !spool.isFull else { return }
        try file.checkLength()
        try resampler.finish { try spool.append($0) }
    }

    /// The mean of the channels. Returns the frames.
    private static func mix(_ block: UnsafeBufferPointer<Float>, channels: Int, into mono: inout [Float]) -> Int {
        let frames = block.count / channels
        let scale = 1 / Float(channels)
        for frame in 0..<frames {
            var sum: Float = 0
            for channel in 0..<channels { sum += block[frame * channels + channel] }
            mono[frame] = sum * scale
        }
        return frames
    }

    private static func sampleRange(_ seconds: Range<Double>?, of source: AudioSource) throws -> Range<Int> {
        guard let seconds else { return 0..<Int.max }
        guard seconds.lowerBound >= 0, seconds.lowerBound < seconds.upperBound else {
            throw AudioError(
                .invalidArgument,
                """
                \(source): cannot keep \(seconds.lowerBound) to \(seconds.upperBound) s; expected a start of 0 or more \
                and an end after it
                """)
        }
        // Beyond 2⁴⁰ samples, two years, lies no recording.
        let samples = { (time: Double) in Int(min(time * Double(sampleRate), 0x1p40).rounded()) }
        return samples(seconds.lowerBound)..<samples(seconds.upperBound)
    }
}

extension SoundFile {
    /// Beyond 2³², even of samples scaled as 32-bit integers, lies only damaged data, whose power may overflow.
    static let greatestSample: Float = 0x1p32

    /// Throws if a sample of `block`, the last one read, is not a number or makes no sense.
    func check(_ block: UnsafeBufferPointer<Float>) throws {
        var isSound = true
        for sample in block { isSound = (abs(sample) <= Self.greatestSample) && isSound }
        guard !isSound, let index = block.firstIndex(where: { !(abs($0) <= Self.greatestSample) }) else { return }
        let frame = position - (block.count - index - 1) / channels - 1
        let channel = channels == 1 ? "" : " of channel \(index % channels + 1)"
        throw AudioError(
            .dataLoss,
            """
            \(name): sample \(frame)\(channel), at \(seconds(frame)) s, is \(block[index]); expected \
            a finite number of a plausible size
            """)
    }

    /// Throws if fewer frames came than the header promised.
    func checkLength() throws {
        guard let promisedFrames, position < promisedFrames else { return }
        throw AudioError(
            .dataLoss,
            """
            \(name): is damaged or cut short: the header promises \(promisedFrames) samples (\
            \(seconds(promisedFrames)) s), \(position) (\(seconds(position)) s) could be decoded
            """)
    }
}

extension RawSamples {
    fileprivate mutating func read(into spool: inout CroppingSpool) throws {
        while !spool.isFull {
            let samples = try read()
            if samples.isEmpty { break }
            try samples.withUnsafeBufferPointer { try spool.append($0) }
        }
    }
}

/// A spool that keeps only a range of what it is given.
private struct CroppingSpool {
    private var spool: SampleSpool
    private let range: Range<Int>
    /// Samples given so far.
    private var position = 0

    init(_ spool: SampleSpool, keeping range: Range<Int>) {
        self.spool = spool
        self.range = range
    }

    /// Whether nothing that may still come would be kept.
    var isFull: Bool { position >= range.upperBound }

    mutating func append(_ samples: UnsafeBufferPointer<Float>) throws {
        let kept = range.clamped(to: position..<position + samples.count)
        if !kept.isEmpty {
            try spool.append(
                UnsafeBufferPointer(rebasing: samples[kept.lowerBound - position..<kept.upperBound - position]))
        }
        position += samples.count
    }

    func finish(name: String) throws -> SampleBuffer {
        guard position > 0 else {
            throw AudioError(.dataLoss, "\(name): holds no samples; expected at least one")
        }
        guard spool.count > 0 else {
            let rate = Double(SampleBuffer.sampleRate)
            throw AudioError(
                .invalidArgument,
                """
                \(name): cannot start at \(Double(range.lowerBound) / rate) s; the recording ends at \
                \(Double(position) / rate) s
                """)
        }
        return spool.finish()
    }
}
