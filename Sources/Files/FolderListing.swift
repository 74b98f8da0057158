import Foundation

/// The files of a folder and of all folders below it.
package enum FolderListing {
    /// Folders in folders, at most: deeper is a mistake.
    private static let deepest = 64

    /// Paths relative to `folder`, as ``PathText``, sorted by their bytes. Hidden files and folders are other programs'
    /// matters; links to folders are not followed, so that no circle is walked.
    /// - Throws: ``FileError`` where `folder` cannot be read.
    package static func files(below folder: String) throws -> [String] {
        var files: [String] = []
        guard list(folder, "", 0, &files) else { throw FileError.cannotRead(folder) }
        return files.sorted { PathText.bytes($0).lexicographicallyPrecedes(PathText.bytes($1)) }
    }

    /// False where the folder cannot be opened.
    private static func list(_ folder: String, _ prefix: String, _ depth: Int, _ files: inout [String]) -> Bool {
        guard depth < deepest, let directory = PathText.withName(folder, { opendir($0) }) else { return false }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { PathText.text($0.prefix { $0 != 0 }) }
            guard !name.hasPrefix(".") else { continue }
            let path = "\(folder)/\(name)"
            var status = stat()
            guard PathText.withName(path, { lstat($0, &status) }) == 0 else { continue }
            if status.st_mode & S_IFMT == S_IFDIR {
                // One that may not be read leaves the others.
                _ = list(path, "\(prefix)\(name)/", depth + 1, &files)
            } else {
                files.append(prefix + name)
            }
        }
        return true
    }
}
