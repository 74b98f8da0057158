extension SampleBuffer {
    /// Reads a recording: decoded, averaged to mono, resampled to 16 kHz; block by block, in bounded memory.
    ///
    /// - The mono signal is the mean of the channels. For stereo that is what `ffmpeg -ac 1` does, and with it
    ///   openai/whisper; ffmpeg weighs the channels of surround sound, we do not.
    /// - n samples at another rate become round(n·16000/rate). Streams in a row are heard one after another, each at
    ///   its own rate.
    /// - Samples beyond ±1, which float formats hold, are set to ±1 as ffmpeg does, or divided where all of the
    ///   recording is on another scale; see ``notices``.
    /// - One policy for wrong lengths, in every container: what can be decoded is used, a notice says where the header
    ///   promised more than a frame's worth beyond it, and a recording of which nothing can be decoded is refused.
    ///
    /// - Parameters:
    ///   - seconds: the part to keep, half-open; it may reach beyond the end, but must not start there. These are the
    ///     samples that cutting the whole recording afterwards gives; it is decoded from its start.
    /// - Throws: ``AudioError`` with the recording's name: not there, not audio, empty, a sample that is no number, a
    ///   sample rate or number of channels that makes no sense, no space for the temporary file; and, where `options`
    ///   are strict, what would be a notice.
    public static func read(
        _ source: AudioSource, seconds: Range<Double>? = nil, options: ReadingOptions = ReadingOptions()
    ) throws -> SampleBuffer {
        try read(source, seconds: seconds, options: options, into: SampleSpool(name: source.description))
    }

    package static func read(
        _ source: AudioSource, seconds: Range<Double>? = nil, options: ReadingOptions = ReadingOptions(),
        into spool: SampleSpool
    ) throws -> SampleBuffer {
        let spool = CroppingSpool(spool, keeping: try sampleRange(seconds, of: source))
        var reader = RecordingReader(name: source.description, spool, options)
        try reader.read(source)
        return try reader.finish()
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
        let range = samples(seconds.lowerBound)..<samples(seconds.upperBound)
        guard !range.isEmpty else {
            throw AudioError(
                .invalidArgument,
                """
                \(source): no sample lies between \(seconds.lowerBound) and \(seconds.upperBound) s; expected at least \
                one, 1/\(sampleRate) s
                """)
        }
        return range
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
}
