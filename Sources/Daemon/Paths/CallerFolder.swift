import DataSets
import Foundation
import Wire

/// Where a caller's relative paths begin: the folder that it works in, as its call's metadata say.
struct CallerFolder: Sendable {
    private static let key = CallMetadata.workingFolder

    private let path: String?
    /// Whether a word without a slash is a model's name: those come before files of the same name.
    private let isModelName: @Sendable (String) -> Bool

    /// - Parameter path: nil where the caller says nothing; then its paths must be absolute.
    /// - Throws: ``ServiceError`` (`invalidArgument`) for a folder that is not absolute itself.
    init(_ path: String?, isModelName: @escaping @Sendable (String) -> Bool) throws {
        guard path?.hasPrefix("/") != false else {
            throw ServiceError(
                .invalidArgument, "the call's \(Self.key) is '\(path ?? "")'; expected an absolute path")
        }
        self.path = path
        self.isModelName = isModelName
    }

    /// A path as the daemon, which works elsewhere, opens it. The one place where a relative path gets its folder; links are
    /// left alone, `~` is a shell's matter, and an empty path, which is nobody's file, stays empty.
    /// - Throws: ``ServiceError`` (`invalidArgument`) for a relative path of a caller that names no folder.
    func absolute(_ written: String) throws -> String {
        guard !written.isEmpty, !written.hasPrefix("/") else { return written }
        guard let path else {
            throw ServiceError(
                .invalidArgument,
                "the path '\(written)' is not absolute, and the call does not name the folder that it begins in: give an "
                    + "absolute path, or the caller's folder as \(Self.key) in the call's metadata")
        }
        var rest = written[...]
        while rest.hasPrefix("./") { rest = rest.dropFirst(2).drop { $0 == "/" } }
        let base = path.hasSuffix("/") ? path : path + "/"
        return base + (rest.isEmpty ? "." : rest)
    }

    /// A data set's place: a path, or `demo:`.
    func dataSet(_ written: String) throws -> String { written == DataSet.demo ? written : try absolute(written) }

    /// A plugin: an id, which has no slash, or a bundle's folder.
    func plugin(_ written: String) throws -> String { written.contains("/") ? try absolute(written) : written }

    /// A model as the daemon knows it: a name stays, anything else that is there is a path.
    func model(_ written: String) throws -> String {
        guard !written.isEmpty, !written.hasPrefix("/") else { return written }
        if HubCache.isRepository(written) {
            // `org/name` is a file here, or a model in the cache of Hugging Face's hub.
            guard path != nil, try FileManager.default.fileExists(atPath: absolute(written)) else { return written }
        }
        if written.contains("/") { return try absolute(written) }
        guard path != nil, !isModelName(written) else { return written }
        let file = try absolute(written)
        return FileManager.default.fileExists(atPath: file) ? file : written
    }
}

/// A message in which a caller names files.
protocol NamesPaths {
    /// Makes every path in it absolute.
    mutating func resolvePaths(in folder: CallerFolder) throws
}

extension CallContext {
    /// The request with absolute paths, as services take it.
    /// - Throws: ``ServiceError`` (`invalidArgument`) for a relative path where the call names no folder; for an
    ///   intervention's text that cannot be read, ``Whisper/WhisperError``.
    func resolving<Message: NamesPaths>(_ request: Message, _ models: ModelService) throws -> Message {
        var request = request
        try request.resolvePaths(in: folder(models))
        return request
    }

    func folder(_ models: ModelService) throws -> CallerFolder {
        try CallerFolder(metadata.first { $0.key == CallMetadata.workingFolder }?.value) { models.isName($0) }
    }
}
