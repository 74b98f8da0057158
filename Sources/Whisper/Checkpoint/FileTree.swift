import Files
import Foundation
import TensorFiles

/// The files of a model's folder by name, wherever they lie: on disk, or as bytes in the executable.
public protocol FileTree: Sendable {
    /// What messages call it.
    var name: String { get }
    /// The names of all files; none where the folder cannot be listed.
    var fileNames: [String] { get }
    /// The file called `file`, not copied, or nil where there is none.
    func bytes(of file: String) throws -> FileBytes?
}

/// A folder on disk; its files are mapped when they are asked for.
public struct DiskFolder: FileTree {
    public let path: String
    public var name: String { path }

    public init(_ path: String) { self.path = path }

    public var fileNames: [String] { Whisper.fileNames(in: path) }

    /// - Throws: ``WhisperError`` (`dataLoss`) for a name that would lead out of the folder, as an index of shards
    ///   from anywhere might hold.
    public func bytes(of file: String) throws -> FileBytes? {
        guard !file.isEmpty, file != ".", file != "..", !file.utf8.contains(where: { $0 == 0x2F || $0 == 0 }) else {
            throw WhisperError(.dataLoss, "\(path): '\(file)' is not the name of a file in this folder")
        }
        let place = path == "/" ? "/\(file)" : "\(path)/\(file)"
        do {
            return try MappedFile(place).bytes
        } catch let error as TensorFileError where error.code == .notFound {
            // Caches of downloads are links to content; one to nothing is no absent file.
            guard let target = Self.target(ofLink: place) else { return nil }
            throw WhisperError(
                .notFound, "\(place) is a link to \(target), which is not there; was the download complete?")
        }
    }

    /// Nil where there is no link.
    private static func target(ofLink place: String) -> String? {
        let most = Int(PATH_MAX)
        var target = [CChar](repeating: 0, count: most)
        let count = PathText.withName(place) { readlink($0, &target, most) }
        return count > 0 ? PathText.text(target.prefix(count).map(UInt8.init(bitPattern:))) : nil
    }
}

/// A folder that exists in memory only.
public struct MemoryFolder: FileTree {
    public let name: String
    private let files: [String: FileBytes]

    public init(name: String, _ files: [String: FileBytes]) {
        self.name = name
        self.files = files.reduce(into: [:]) { $0[$1.key] = $1.value.named("\(name)/\($1.key)") }
    }

    /// Files that live as long as the process: data in the executable.
    public init(name: String, static files: [String: UnsafeRawBufferPointer]) {
        self.init(name: name, files.mapValues { FileBytes(name: name, static: $0) })
    }

    public var fileNames: [String] { Array(files.keys) }

    public func bytes(of file: String) throws -> FileBytes? { files[file] }
}

/// What lies at `path`, links followed.
/// - Throws: ``TensorFileError``: `notFound`, `unavailable`.
package func isFolder(_ path: String) throws -> Bool {
    var status = stat()
    guard PathText.withName(path, { stat($0, &status) }) == 0 else {
        throw TensorFileError.system("cannot open \(path)")
    }
    return status.st_mode & S_IFMT == S_IFDIR
}

/// The names of all that lies in a folder, as ``Files/PathText``; none where it cannot be listed.
package func fileNames(in folder: String) -> [String] {
    guard let directory = PathText.withName(folder, { opendir($0) }) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { PathText.text($0.prefix { $0 != 0 }) }
        if name != ".", name != ".." { names.append(name) }
    }
    return names
}
