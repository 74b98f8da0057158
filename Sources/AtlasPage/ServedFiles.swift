import Foundation
import Pages

/// The files of a page that is served, by the names that the page has for them: its own, and `../shared/`.
struct ServedFiles {
    let all: [String: [UInt8]]

    /// - Parameter folder: the page's own among all pages' files.
    init(_ folder: String) {
        var files: [String: [UInt8]] = [:]
        for (path, bytes) in PageFiles.all {
            if path.hasPrefix(folder + "/") { files[String(path.dropFirst(folder.count + 1))] = bytes }
            if path.hasPrefix("shared/") { files["../" + path] = bytes }
        }
        all = files
    }

    /// What is served under a name, with its media type; nil for anything else.
    func file(_ name: String) -> (bytes: [UInt8], type: String)? {
        guard let bytes = all[name] else { return nil }
        let type =
            switch (name as NSString).pathExtension {
            case "html": "text/html; charset=utf-8"
            case "js": "text/javascript; charset=utf-8"
            case "css": "text/css; charset=utf-8"
            case "svg": "image/svg+xml"
            default: "application/octet-stream"
            }
        return (bytes, type)
    }
}

extension ServedFiles {
    static let atlas = ServedFiles("atlas")
    static let live = ServedFiles("live")
}
