import Foundation
import Pages

/// The files of the atlas' page by the names that the page has for them: its own, and `../shared/`.
enum AtlasFiles {
    static let all: [String: [UInt8]] = {
        var files: [String: [UInt8]] = [:]
        for (path, bytes) in PageFiles.all {
            if path.hasPrefix("shared/") { files["../" + path] = bytes }
            if path.hasPrefix("atlas/") { files[String(path.dropFirst("atlas/".count))] = bytes }
        }
        return files
    }()

    /// What is served under a name, with its media type; nil for anything else.
    static func file(_ name: String) -> (bytes: [UInt8], type: String)? {
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
