import Audio

/// A recording that a request names: a file, an embedded clip (`demo:NAME`), or samples that came with it.
public struct AudioInput: Sendable {
    /// What results and messages call it.
    public let name: String
    public let source: AudioSource
    /// Whether what would be a notice is an error.
    public var strict = false

    public init(name: String, source: AudioSource) {
        self.name = name
        self.source = source
    }

    /// An embedded demonstration clip.
    /// - Throws: ``ServiceError`` (`notFound`) with the nearest names.
    public static func clip(named name: String) throws -> AudioInput {
        let clip = try DemoClips.named(name)
        let name = DemoClips.prefix + clip.name
        return AudioInput(name: name, source: .bytes(try DemoClips.bytes(of: clip), name: name))
    }

    /// An upload in a file: of its path neither results nor messages speak.
    public static func upload(path: String, encoding: AudioSource.Encoding, name: String) -> AudioInput {
        AudioInput(name: name, source: .spooled(path: path, encoding: encoding, name: name))
    }

    /// An audio file or samples, as may be, that came with the request.
    public static func unknown(_ bytes: [UInt8], name: String) -> AudioInput {
        AudioInput(name: name, source: .unknown(bytes, name: name))
    }

    /// 16 kHz mono s16le samples that came with the request.
    public static func pcm(_ bytes: [UInt8], name: String) -> AudioInput {
        AudioInput(name: name, source: .pcm(bytes, name: name))
    }

    /// Reads it; meanwhile others may have the engine.
    func samples(seconds: Range<Double>?, turn: EngineTurn?) throws -> SampleBuffer {
        guard let turn else { return try read(seconds: seconds) }
        return try turn.suspended { try read(seconds: seconds) }
    }

    /// Reads it.
    func read(seconds: Range<Double>?) throws -> SampleBuffer {
        try SampleBuffer.read(source, seconds: seconds, options: ReadingOptions(strict: strict))
    }
}
