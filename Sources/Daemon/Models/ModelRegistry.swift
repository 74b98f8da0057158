import Files
import Foundation

/// A model that was given a name.
public struct RegisteredModel: Codable, Sendable, Hashable {
    public var name: String
    /// The Hugging Face folder, `.pt` or `.bin`; absolute.
    public var path: String
    /// The tokenizer file for a checkpoint that brings none; absolute.
    public var vocabulary: String?
    /// SHA-256 of the weights, where it was checked at download.
    public var sha256: String?
    /// (layer, head) of the cross-attention heads that follow the audio, where the checkpoint does not say.
    public var alignmentHeads: [[Int]]?
    /// Whether the files were downloaded by us and go when the name does.
    public var downloaded: Bool

    public init(
        name: String, path: String, vocabulary: String? = nil, sha256: String? = nil,
        alignmentHeads: [[Int]]? = nil, downloaded: Bool = false
    ) {
        self.name = name
        self.path = path
        self.vocabulary = vocabulary
        self.sha256 = sha256
        self.alignmentHeads = alignmentHeads
        self.downloaded = downloaded
    }

    enum CodingKeys: String, CodingKey {
        case name, path, vocabulary, sha256, downloaded
        case alignmentHeads = "alignment_heads"
    }
}

/// The names of models, kept in `registry.json`.
///
/// Every change is written to a new file that replaces the old one, under a lock, so neither a crash nor two
/// processes at once can lose an entry. A registry that cannot be read is reported and left as it is.
public struct ModelRegistry: Sendable {
    /// The folder of the registry; made at the first change.
    public let folder: String
    public var file: String { folder + "/registry.json" }

    public init(folder: String) { self.folder = folder }
    public init(in data: DataFolder = DataFolder()) { self.folder = data.models }

    private struct Contents: Codable {
        static let currentVersion = 1
        var version = currentVersion
        var models: [RegisteredModel] = []
    }

    /// All entries, sorted by name.
    /// - Throws: ``ServiceError`` (`dataLoss`) where the file is damaged or of a later version.
    public func models() throws -> [RegisteredModel] {
        try contents().models.sorted { $0.name < $1.name }
    }

    public func model(named name: String) throws -> RegisteredModel? {
        try contents().models.first { $0.name == name }
    }

    /// Adds an entry.
    /// - Parameter replacing: whether an entry of the same name gives way; otherwise it is an error.
    public func add(_ model: RegisteredModel, replacing: Bool = false) throws {
        try Self.checkName(model.name)
        try change { models in
            if let index = models.firstIndex(where: { $0.name == model.name }) {
                guard replacing || models[index] == model else {
                    throw ServiceError(
                        .invalidArgument,
                        "the name \(model.name) is taken by \(models[index].path); choose another with --name, "
                            + "or remove it first")
                }
                models[index] = model
            } else {
                models.append(model)
            }
        }
    }

    /// Forgets an entry, and returns it. The files stay.
    public func remove(_ name: String) throws -> RegisteredModel {
        try change { models in
            guard let index = models.firstIndex(where: { $0.name == name }) else {
                throw ServiceError(
                    .notFound, "no model is registered as \(name); registered: \(nameList(models.map(\.name)))")
            }
            return models.remove(at: index)
        }
    }

    /// A name is a letter or digit followed by letters, digits, `.`, `_`, `-`; at most 64 of them.
    public static func checkName(_ name: String) throws {
        let plain = name.utf8.allSatisfy {
            (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || [45, 46, 95].contains($0)
        }
        guard plain, (1...64).contains(name.utf8.count), !name.hasPrefix("."), !name.hasPrefix("-") else {
            throw ServiceError(
                .invalidArgument,
                "'\(name)' cannot be a model's name: expected letters, digits, '.', '_' and '-', at most 64")
        }
        guard name != EmbeddedModel.name else {
            throw ServiceError(.invalidArgument, "the name \(name) belongs to the embedded model; choose another")
        }
    }

    private func contents() throws -> Contents {
        guard FileManager.default.fileExists(atPath: file) else { return Contents() }
        let bytes: Data
        do { bytes = try Data(contentsOf: URL(fileURLWithPath: file)) } catch { throw FileError.cannotRead(file) }
        struct Version: Codable { var version: Int }
        let decoder = JSONDecoder()
        do {
            let version = try decoder.decode(Version.self, from: bytes).version
            guard version == Contents.currentVersion else {
                throw ServiceError(
                    .dataLoss,
                    "\(file) has version \(version), expected \(Contents.currentVersion): another auscult wrote it")
            }
            return try decoder.decode(Contents.self, from: bytes)
        } catch let error as DecodingError {
            throw ServiceError(
                .dataLoss,
                "the model registry \(file) is damaged (\(reason(error))); "
                    + "it was left as it is: repair it, or move it away to start a new one")
        }
    }

    private func change<R>(_ body: (inout [RegisteredModel]) throws -> R) throws -> R {
        try DataFolder.create(folder)
        let lock = try FileDescriptor(folder + "/registry.lock", O_RDWR | O_CREAT)
        _ = try lock.lock(waiting: true)
        var contents = try contents()
        let result = try body(&contents.models)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try PendingFile.write(encoder.encode(contents) + Data("\n".utf8), to: file)
        withExtendedLifetime(lock) {}
        return result
    }
}

/// "a, b, c", or "none".
func nameList(_ names: [String]) -> String { names.isEmpty ? "none" : names.joined(separator: ", ") }

/// What a decoder found wrong and where, in one phrase.
private func reason(_ error: DecodingError) -> String {
    func place(_ context: DecodingError.Context) -> String {
        context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
    }
    switch error {
    case .keyNotFound(let key, let context):
        return "'\(key.stringValue)' is missing" + (context.codingPath.isEmpty ? "" : " in \(place(context))")
    case .typeMismatch(let type, let context): return "\(place(context)) is not of type \(type)"
    case .valueNotFound(_, let context): return "\(place(context)) has no value"
    case .dataCorrupted: return "not valid JSON"
    @unknown default: return "it cannot be read"
    }
}
