import Files

/// One recording being read: decoded, averaged to mono, resampled to 16 kHz, and looked at on the way.
struct RecordingReader {
    private let name: String
    private let options: ReadingOptions
    private var spool: CroppingSpool
    private var gauge = LevelGauge()
    private var notices: [Notice] = []

    init(name: String, _ spool: CroppingSpool, _ options: ReadingOptions) {
        self.name = name
        self.options = options
        self.spool = spool
    }

    mutating func read(_ source: AudioSource) throws {
        switch source {
        case .file(let path): try decode(RecordingBytes.open(path, name: name))
        case .bytes(let bytes, _): try decode(RecordingBytes(bytes))
        case .unknown(let bytes, _): try decodeUnknown(RecordingBytes(bytes))
        case .pcm(let bytes, _): try take(RecordingBytes(bytes), .int16)
        case .spooled(let path, let encoding, _):
            let bytes = try RecordingBytes.open(path, name: name)
            switch encoding {
            case .file: try decode(bytes)
            case .unknown: try decodeUnknown(bytes)
            case .s16le: try take(bytes, .int16)
            case .f32le: try take(bytes, .float32)
            }
        }
    }

    /// The samples with what there is to say about them.
    /// - Throws: ``AudioError`` where there are none, and where nothing is to be passed over.
    consuming func finish() throws -> SampleBuffer {
        let (level, levelNotice) = gauge.level()
        notices += [levelNotice, gauge.cancellation].compactMap(\.self)
        let samples = try spool.finish(name: name)
        if options.strict, let first = notices.first {
            throw AudioError(.dataLoss, "\(name): \(first.text) (refused, as strict reading was asked for)")
        }
        return SampleBuffer(samples, level: level, notices: notices)
    }

    // MARK: - Sound files

    private mutating func decode(_ bytes: RecordingBytes) throws {
        guard bytes.size > 0 else { throw RecordingBytes.empty(name) }
        let known = bytes.signature
        if let known, known.kind == .media { return try decodeForeign(bytes, known.name) }
        try decode(bytes, SoundPlan.make(bytes, name: name))
    }

    private mutating func decode(_ bytes: RecordingBytes, _ plan: SoundPlan?) throws {
        let plan = plan ?? SoundPlan(streams: [SoundStream(0..<bytes.size)])
        var refusal: AudioError?
        for (index, stream) in plan.streams.enumerated() where !spool.isFull {
            let file: SoundFile
            do { file = try SoundFile(bytes, stream, name: name) } catch let error as AudioError {
                // Beside sound there may be streams of another kind; a file without any is refused.
                refusal = refusal ?? error
                if plan.streams.count > 1 {
                    notices.append(Notice(.passedOver, "its stream \(index + 1) cannot be decoded; left out"))
                }
                continue
            }
            try decode(file)
        }
        if let refusal, spool.isEmpty {
            // A container that is known may hold a codec that libsndfile does not have.
            let known = bytes.signature
            if known?.kind == .sound, let ffmpeg = ForeignDecoder(options), try decode(bytes, by: ffmpeg, or: refusal) {
                return
            }
            throw known?.kind == .other ? refusal.saying("it looks like \(known?.name ?? "")") : refusal
        }
        notices += plan.notices
    }

    private mutating func decode(_ file: SoundFile) throws {
        let resampler = try Resampler(inputRate: file.sampleRate)
        var mono = [Float](repeating: 0, count: SoundFile.blockFrames)
        while !spool.isFull {
            let frames: Int
            do {
                frames = try file.read { block in
                    try file.check(block)
                    if file.holdsFloats { gauge.measure(floats: block) }
                    return mix(block, channels: file.channels, into: &mono)
                }
            } catch let error as DecodingFailure {
                // What was decoded is used.
                guard file.position > 0 else { throw error.refusal }
                notices.append(Notice(.damaged, error.text))
                break
            }
            if frames == 0 { break }
            try mono.withUnsafeBufferPointer { mono in
                try resampler.process(UnsafeBufferPointer(rebasing: mono[..<frames])) { try spool.append($0) }
            }
        }
        guard !spool.isFull else { return }
        if let shortfall = file.shortfall { notices.append(shortfall) }
        try resampler.finish { try spool.append($0) }
    }

    /// The mean of the channels. Returns the frames.
    private mutating func mix(
        _ block: UnsafeBufferPointer<Float>, channels: Int, into mono: inout [Float]
    ) -> Int {
        let frames = block.count / channels
        let scale = 1 / Float(channels)
        for frame in 0..<frames {
            var sum: Float = 0
            for channel in 0..<channels { sum += block[frame * channels + channel] }
            mono[frame] = sum * scale
        }
        mono.withUnsafeBufferPointer {
            gauge.measure(block, channels: channels, mixed: UnsafeBufferPointer(rebasing: $0[..<frames]))
        }
        return frames
    }

    // MARK: - Others

    /// A sound file where it can be opened as one; else samples.
    private mutating func decodeUnknown(_ bytes: RecordingBytes) throws {
        guard bytes.size > 0 else { return }
        let known = bytes.signature
        if let known, known.kind == .media { return try decodeForeign(bytes, known.name) }
        if let plan = try SoundPlan.make(bytes, name: name) { return try decode(bytes, plan) }
        // libsndfile takes any bytes that begin so for MPEG; frames in a row were looked for above.
        let isSync = bytes.array(at: 0, count: 2).map { $0[0] == 0xFF && $0[1] >= 0xE0 } ?? true
        if known?.kind != .other, !isSync, let file = try? SoundFile(bytes, SoundStream(0..<bytes.size), name: name) {
            return try decode(file)
        }
        try take(bytes, .int16)
    }

    /// Raw samples.
    private mutating func take(_ bytes: RecordingBytes, _ format: RawSamples.Format) throws {
        var raw = RawSamples(bytes, format, name: name)
        notices += raw.doubts
        while !spool.isFull {
            let samples = try raw.read()
            if samples.isEmpty { break }
            try samples.withUnsafeBufferPointer {
                if format == .float32 { gauge.measure(floats: $0) }
                try spool.append($0)
            }
        }
    }

    /// What libsndfile does not read, through ffmpeg.
    private mutating func decodeForeign(_ bytes: RecordingBytes, _ kind: String) throws {
        guard let ffmpeg = ForeignDecoder(options) else {
            throw AudioError(
                .unsupported,
                """
                \(name): is \(kind), which is decoded through ffmpeg, and there is none in the daemon's $PATH; install \
                it, or convert the file: ffmpeg -i IN OUT.wav
                """)
        }
        guard try decode(bytes, by: ffmpeg) else {
            throw AudioError(.dataLoss, "\(name): is \(kind), and ffmpeg finds no sound in it")
        }
    }

    /// - Parameter refusal: what is thrown where ffmpeg cannot do it either; nil for ffmpeg's own words.
    /// - Returns: whether there was sound.
    private mutating func decode(
        _ bytes: RecordingBytes, by ffmpeg: ForeignDecoder, or refusal: AudioError? = nil
    ) throws -> Bool {
        let complaint: String?
        do {
            complaint = try ffmpeg.decode(bytes, name: name) { samples in
                try spool.append(samples)
                return !spool.isFull
            }
        } catch let error as AudioError {
            throw spool.isEmpty ? refusal ?? error : error
        }
        if let complaint { notices.append(Notice(.damaged, "ffmpeg says: \(complaint)")) }
        return !spool.isEmpty
    }
}

extension RecordingBytes {
    /// What the first bytes say.
    var signature: FileSignature? { FileSignature(array(at: 0, count: min(FileSignature.headSize, size)) ?? []) }
}

/// The decoder gave up in the middle of a stream.
struct DecodingFailure: Error {
    let name: String
    /// What happened, without the name.
    let text: String

    /// Where nothing came before.
    var refusal: AudioError { AudioError(.dataLoss, "\(name): \(text)") }
}

extension AudioError {
    fileprivate func saying(_ words: String) -> AudioError { AudioError(code, "\(message); \(words)", cause: cause) }
}
