import Files
import Foundation
import Synchronization

/// A clip of the embedded demonstration set, with what is said in it and when.
public struct DemoClip: Sendable, Codable, Equatable {
    /// A sound and when it is heard, in seconds, half open.
    public struct Phoneme: Sendable, Codable, Equatable {
        public let start: Double
        public let end: Double
        public let label: String
    }

    /// A word and when it is heard, in seconds, half open.
    public struct Word: Sendable, Codable, Equatable {
        public let start: Double
        public let end: Double
        public let word: String
    }

    /// The file's name in the set: `en-thanks.flac`.
    public let file: String
    /// `speech`, `music`, `noise`, …
    public let kind: String
    public let language: String?
    public let text: String?
    public let voice: String?
    public let engine: String?
    /// Seconds.
    public let duration: Double
    public let phonemes: [Phoneme]?
    public let words: [Word]?

    /// What one types after `demo:`: the file's name without its ending.
    public var name: String { (file as NSString).deletingPathExtension }
}

/// The embedded demonstration set: short clips in both of the default model's languages, and some that hold no speech.
public enum DemoClips {
    /// What stands before a clip's name where a file is expected: `demo:NAME`; alone it means all clips.
    public static let prefix = "demo:"

    private static let folder = "demo"
    private static let manifestName = "manifest.jsonl"

    /// All clips, in the manifest's order; empty where none are embedded.
    /// - Throws: ``ServiceError`` (`dataLoss`) where the manifest is not what it should be.
    public static func all() throws -> [DemoClip] { try embedded.get() }

    /// Read once: a request may name clips by the ten thousand.
    private static let embedded = Result {
        try file(manifestName).map { try clips(manifest: Data($0.bytes)) } ?? []
    }

    /// Reads a manifest: one JSON object a line.
    package static func clips(manifest: Data) throws -> [DemoClip] {
        let decoder = JSONDecoder()
        return try manifest.split(separator: UInt8(ascii: "\n")).enumerated().compactMap { number, line in
            guard line.contains(where: { $0 > 0x20 }) else { return nil }
            do { return try decoder.decode(DemoClip.self, from: line) } catch {
                throw ServiceError(.dataLoss, "\(manifestName), line \(number + 1), does not describe a clip: \(error)")
            }
        }
    }

    /// The clip of this name.
    /// - Throws: ``ServiceError`` (`notFound`) with the nearest names.
    public static func named(_ name: String) throws -> DemoClip {
        let clips = try all()
        if let clip = clips.first(where: { $0.name == name || $0.file == name }) { return clip }
        guard !clips.isEmpty else { throw ServiceError(.notFound, "no demonstration clips are embedded in this build") }
        let nearest = nearestNames(to: name, in: clips.map(\.name))
        throw ServiceError(
            .notFound, "no embedded clip is called \(name); nearest: \(nameList(nearest)) (all: auscult samples)")
    }

    /// The clip's audio file, as it lies in the binary.
    public static func audio(of clip: DemoClip) throws -> EmbeddedFile {
        guard let file = file(clip.file) else {
            throw ServiceError(.dataLoss, "\(manifestName) names \(clip.file), which is not embedded")
        }
        return file
    }

    /// The same as an array, one for all who ask.
    static func bytes(of clip: DemoClip) throws -> [UInt8] {
        try contents.withLock { contents in
            if let bytes = contents[clip.file] { return bytes }
            let bytes = Array(try audio(of: clip).bytes)
            contents[clip.file] = bytes
            return bytes
        }
    }

    private static let contents = Mutex<[String: [UInt8]]>([:])

    /// The files of the set, its manifest among them.
    static var files: [EmbeddedFile] { EmbeddedFile.files(in: folder) }

    /// Copies the whole set, manifest included, into `folder`, which is made where it is not there yet.
    /// - Returns: the paths written.
    public static func export(to target: String) throws -> [String] {
        try DataFolder.create(target)
        return try EmbeddedFile.files(in: folder).map { file in
            let path = target + "/" + file.name
            try PendingFile.write(file.bytes, to: path)
            return path
        }
    }

    private static func file(_ name: String) -> EmbeddedFile? {
        EmbeddedFile.all.first { $0.path == folder + "/" + name }
    }
}
