import CPages

/// The files that pages are made of: a folder for each page, and `shared` for what they have in common. They lie in the
/// binary.
package enum PageFiles {
    /// By path: "atlas/index.html".
    package static let all: [String: [UInt8]] = {
        var files: [String: [UInt8]] = [:]
        var count = 0
        guard let table = auscult_page_files(&count) else { return files }
        for index in 0..<count {
            let bytes = UnsafeBufferPointer(start: table[index].bytes, count: table[index].size)
            files[String(cString: table[index].name)] = Array(bytes)
        }
        return files
    }()

    /// The text of a file; nil where there is none.
    package static func text(_ path: String) -> String? { all[path].map { String(decoding: $0, as: UTF8.self) } }

    /// All modules, by path.
    package static var modules: [String: String] {
        all.filter { $0.key.hasSuffix(".js") }.mapValues { String(decoding: $0, as: UTF8.self) }
    }

    /// The path of what `file` names: `../shared/base.css` in `results/index.html` is `shared/base.css`.
    package static func path(of name: String, in file: String) -> String {
        var parts = file.split(separator: "/").dropLast()
        for part in name.split(separator: "/") where part != "." {
            if part == ".." { parts = parts.dropLast() } else { parts.append(part) }
        }
        return parts.joined(separator: "/")
    }
}

/// What is wrong with a page's own files; never with what is shown on it.
package struct PageError: Error, CustomStringConvertible {
    package let description: String
}
