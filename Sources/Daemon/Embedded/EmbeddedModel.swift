import Digests
import Whisper

/// The model that lies in the binary, so that everything works without a download.
public enum EmbeddedModel {
    /// Its name on the command line; no other model can have it.
    public static let name = "default"

    private static let weightsName = "model.safetensors"

    private static var files: [String: UnsafeRawBufferPointer] {
        Dictionary(EmbeddedFile.files(in: name).map { ($0.name, $0.bytes) }) { first, _ in first }
    }

    /// Whether this build has one.
    public static var isPresent: Bool { files[weightsName] != nil }

    /// Opens it where it lies; nothing is copied.
    /// - Throws: ``ServiceError`` (`notFound`) in a build without one.
    static func open() throws -> Checkpoint {
        guard isPresent else {
            throw ServiceError(.notFound, "no model is embedded in this build; name one with --model")
        }
        return try Checkpoint.open(files: MemoryFolder(name: "the embedded model", static: files))
    }

    /// SHA-256 of its weights.
    static func digest() throws -> String {
        let hash = try SHA256()
        if let weights = files[weightsName] { hash.update(weights) }
        return hash.finish()
    }
}
