import CTemplates
import Foundation

/// The start of a new plugin: a folder that builds on its own with `make`, with a small analysis that works, the C
/// header and, for Swift, the sources of PluginKit in it.
public enum PluginTemplate {
    public enum Language: String, CaseIterable, Sendable { case swift, c }

    /// Why no folder was written.
    public struct Failure: Error, CustomStringConvertible, Sendable {
        public let description: String
    }

    /// Writes the folder.
    /// - Parameters:
    ///   - name: "pitch-range", which becomes the id "org.example.pitch-range", or a whole id, "org.acme.pitch-range".
    ///   - folder: must not be there, or be empty.
    /// - Returns: the plugin's id.
    /// - Throws: ``Failure`` where the name is no name or the folder is in use, and what the file system says.
    @discardableResult
    public static func write(name: String, language: Language, to folder: String) throws -> String {
        let names = try Names(name)
        let there = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        guard there.isEmpty, FileManager.default.fileExists(atPath: folder) == isFolder(folder) else {
            throw Failure(description: "\(folder) is there already; a new plugin needs a folder of its own")
        }
        for (path, text) in files(of: language) {
            let file = URL(fileURLWithPath: folder).appendingPathComponent(path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            // What is Auscult's stays as it is.
            let own = path.hasPrefix("auscult/") ? text : names.fill(text, language)
            try Data(own.utf8).write(to: file, options: .atomic)
        }
        return names.id
    }

    private static func isFolder(_ path: String) -> Bool {
        var folder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &folder) && folder.boolValue
    }

    /// The files of a template, by their path in the folder.
    static func files(of language: Language) -> [(path: String, text: String)] {
        var count = 0
        guard let files = auscult_template_files(&count) else { return [] }
        return (0..<count).compactMap { index in
            let path = String(cString: files[index].path), prefix = language.rawValue + "/"
            guard path.hasPrefix(prefix) else { return nil }
            let bytes = UnsafeBufferPointer(start: files[index].bytes, count: files[index].size)
            return (String(path.dropFirst(prefix.count)), String(decoding: bytes, as: UTF8.self))
        }
    }
}

/// What a plugin is called, in the ways that it is written.
private struct Names {
    /// "org.example.pitch-range".
    let id: String
    /// "pitch-range".
    let short: String
    /// "PitchRange".
    let module: String

    init(_ name: String) throws {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard name.utf8.count <= 100, !parts.isEmpty, parts.allSatisfy(Self.isWord), let last = parts.last else {
            throw PluginTemplate.Failure(
                description:
                    "\"\(name)\" cannot be a plugin's name; expected letters, digits and '-' that begin with a letter, "
                    + "as pitch-range, or a whole id, as org.example.pitch-range")
        }
        short = last.lowercased()
        id = parts.count > 1 ? name.lowercased() : "org.example.\(short)"
        let camel = short.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
        // A module that has the name of one that it needs cannot be built.
        module = camel + "Plugin"
    }

    private static func isWord(_ word: Substring) -> Bool {
        guard let first = word.utf8.first, let last = word.utf8.last else { return false }
        let isLetter = { (byte: UInt8) in (65...90).contains(byte) || (97...122).contains(byte) }
        return isLetter(first) && last != 45
            && word.utf8.allSatisfy { isLetter($0) || (48...57).contains($0) || $0 == 45 }
    }

    func fill(_ text: String, _ language: PluginTemplate.Language) -> String {
        text.replacingOccurrences(of: "org.example.template-\(language.rawValue)", with: id)
            .replacingOccurrences(of: "template-\(language.rawValue)", with: short)
            .replacingOccurrences(of: "TemplateSwift", with: module)
    }
}
