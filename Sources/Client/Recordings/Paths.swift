import Foundation

/// `path` from the root, for what this program opens, keeps or compares itself; the daemon is told paths as they are written.
/// Links are left alone, and so is an empty path, which is nobody's file.
package func absolutePath(_ path: String, in folder: String = FileManager.default.currentDirectoryPath) -> String {
    guard !path.isEmpty, !path.hasPrefix("/") else { return path }
    var path = path[...]
    while path.hasPrefix("./") { path = path.dropFirst(2).drop { $0 == "/" } }
    let base = folder.hasSuffix("/") ? folder : folder + "/"
    return base + (path.isEmpty ? "." : path)
}
