import StrictJSON

/// A page may be given to others, and where its recordings lie on this machine is nobody's concern there: absolute paths
/// are cut down to their last part.
package enum PagePaths {
    /// A text without the folders of the absolute paths in it; `/k/`, `m/s` and relative paths are none.
    package static func without(folders text: String) -> String {
        guard text.utf8.contains(slash), !text.hasPrefix("data:") else { return text }
        // A path by itself may have blanks in it; in a sentence it ends at one.
        if text.hasPrefix("/"), !text.contains(": "), !text.contains("\n") { return lastPart(text[...]) }
        var out = ""
        var rest = text[...]
        var previous: Character?
        while let first = rest.first {
            guard first == "/", previous.map(opens) ?? true else {
                out.append(first)
                rest.removeFirst()
                previous = first
                continue
            }
            let path = rest.prefix { !closes($0) }
            out += lastPart(path)
            rest = rest[path.endIndex...]
            previous = path.last
        }
        return out
    }

    /// The same of all strings in a value but for packed numbers.
    package static func without(folders value: JSON) -> JSON {
        switch value {
        case .string(let text): .string(without(folders: text))
        case .array(let values): .array(values.map { without(folders: $0) })
        case .object(let members):
            .object(members.map { $0.0 == "base64" ? $0 : ($0.0, without(folders: $0.1)) })
        default: value
        }
    }

    private static let slash = UInt8(ascii: "/")

    private static func opens(_ character: Character) -> Bool {
        character.isWhitespace || "\"'“‘„(«[=:,;|".contains(character)
    }

    private static func closes(_ character: Character) -> Bool {
        character.isWhitespace || "\"'”’“)»],;|".contains(character)
    }

    private static func lastPart(_ path: Substring) -> String {
        let parts = path.split(separator: "/")
        guard parts.count > 1, let last = parts.last else { return String(path) }
        return String(last)
    }
}
