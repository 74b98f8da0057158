import CEmbedded

/// A file of the repository's `models/` that lies in the binary.
public struct EmbeddedFile: @unchecked Sendable {
    // Sendable: the bytes are constants of the executable.

    /// Below `models/`, with forward slashes: `default/config.json`.
    public let path: String
    /// The contents; they live as long as the process.
    public let bytes: UnsafeRawBufferPointer

    /// The last component of the path.
    public var name: String { path.split(separator: "/").last.map(String.init) ?? path }

    /// All embedded files, sorted by path.
    public static let all: [EmbeddedFile] = {
        var count = 0
        guard let files = auscult_embedded_files(&count) else { return [] }
        return UnsafeBufferPointer(start: files, count: count).map { file in
            EmbeddedFile(
                path: String(cString: file.path),
                bytes: UnsafeRawBufferPointer(start: file.bytes, count: file.size))
        }
    }()

    /// The files of one folder of `models/`: `default` or `demo`.
    public static func files(in folder: String) -> [EmbeddedFile] {
        all.filter { $0.path.hasPrefix(folder + "/") }
    }
}
