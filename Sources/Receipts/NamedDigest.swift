import Digests
import Foundation
import Messages

/// Something with the SHA-256 of its bytes.
package struct NamedDigest: Sendable, Equatable {
    package var name: String
    package var sha256: String

    /// Of a file, or of all files of a folder in the order of their names; of nothing where there is none.
    package static func sha256(at path: String) throws -> String {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return "" }
        guard isFolder.boolValue else { return try SHA256.hex(ofFiles: [path]) }
        let names = try FileManager.default.contentsOfDirectory(atPath: path).sorted().filter { !$0.hasPrefix(".") }
        let files = names.map { "\(path)/\($0)" }.filter { file in
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: file, isDirectory: &isFolder) && !isFolder.boolValue
        }
        return try SHA256.hex(ofFiles: files)
    }

    /// Those of `words` that are absolute paths of files and folders, each once.
    static func files(namedIn words: [String]) throws -> [NamedDigest] {
        var seen: Set<String> = []
        return try words.filter {
            $0.hasPrefix("/") && FileManager.default.fileExists(atPath: $0) && seen.insert($0).inserted
        }
        .map { NamedDigest(name: $0, sha256: try sha256(at: $0)) }
    }

    /// What differs between two lists, in words.
    static func differences(_ what: String, _ then: [NamedDigest], _ now: [NamedDigest]) -> [String] {
        var found = zip(then, now).compactMap { then, now -> String? in
            if then.name != now.name { return "\(what) \(then.name) then is \(now.name) now" }
            return then.sha256 == now.sha256 ? nil : difference("\(what) \(then.name)", then.sha256, now.sha256)
        }
        if then.count != now.count { found.append("\(what)s: \(then.count) then, \(now.count) now") }
        return found
    }

    /// Two values of one thing; of a digest its beginning.
    static func difference(_ what: String, _ then: String, _ now: String) -> String {
        func short(_ text: String) -> String {
            text.isEmpty ? "none" : text.count == 64 ? String(text.prefix(12)) : text
        }
        return "\(what): \(short(then)) then, \(short(now)) now"
    }
}

extension V1.Intervention {
    /// The words of its text form, of which some may name files.
    var words: [String] { text.split { " \"=".contains($0) }.map(String.init) }
}
