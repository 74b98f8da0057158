import Audio
import Foundation

/// A recording that somebody named: a file, standard input (`-`), an embedded clip (`demo:NAME`), or one that was sent.
public struct AudioInput: Sendable {
    /// As it was named; `demo:` alone is spelled out.
    public let name: String
    public let source: AudioSource

    /// - Parameter name: what results and messages call it.
    public init(name: String, source: AudioSource) {
        self.name = name
        self.source = source
    }

    /// An embedded demonstration clip.
    /// - Throws: ``ServiceError`` (`notFound`) with the nearest names.
    public static func clip(named name: String) throws -> AudioInput { try clip(DemoClips.named(name)) }

    /// An upload in a file: of its path neither results nor messages speak.
    public static func upload(path: String, encoding: AudioSource.Encoding, name: String) -> AudioInput {
        AudioInput(name: name, source: .spooled(path: path, encoding: encoding, name: name))
    }

    /// 16 kHz mono s16le samples that came with the request.
    public static func pcm(_ bytes: [UInt8], name: String) -> AudioInput {
        AudioInput(name: name, source: .pcm(bytes, name: name))
    }

    /// Reads it; meanwhile others may have the engine.
    func samples(seconds: Range<Double>?, turn: EngineTurn?) throws -> SampleBuffer {
        guard let turn else { return try SampleBuffer.read(source, seconds: seconds) }
        return try turn.suspended { try SampleBuffer.read(source, seconds: seconds) }
    }

    /// What the arguments of a command line mean; `demo:` becomes all embedded clips.
    /// - Throws: ``ServiceError``: `notFound` for a clip that is not there, `invalidArgument` for standard input twice.
    public static func all(from arguments: [String]) throws -> [AudioInput] {
        guard arguments.count(where: { $0 == "-" }) <= 1 else {
            throw ServiceError(.invalidArgument, "'-' is standard input, which can be read only once")
        }
        return try arguments.flatMap { argument in
            guard argument.hasPrefix(DemoClips.prefix) else {
                return [AudioInput(name: argument, source: AudioSource(argument: argument))]
            }
            let name = String(argument.dropFirst(DemoClips.prefix.count))
            return try name.isEmpty ? DemoClips.all().map(clip) : [clip(DemoClips.named(name))]
        }
    }

    private static func clip(_ clip: DemoClip) throws -> AudioInput {
        let name = DemoClips.prefix + clip.name
        return AudioInput(name: name, source: .bytes(Array(try DemoClips.audio(of: clip).bytes), name: name))
    }

    /// The name of a file with a result about this recording, without ending: `speech` for `folder/speech.wav`.
    public var stem: String {
        if name == "-" { return "stdin" }
        if name.hasPrefix(DemoClips.prefix) { return String(name.dropFirst(DemoClips.prefix.count)) }
        let stem = (URL(fileURLWithPath: name).lastPathComponent as NSString).deletingPathExtension
        return stem.isEmpty ? "recording" : stem
    }
}
