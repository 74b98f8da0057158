import Foundation

/// Names of files made of ids and recordings, which may hold anything.
package struct SafeNames {
    private static let longest = 120
    private var taken: Set<String> = []

    package init() {}

    /// A name that was not given before, whatever the file system thinks of upper case.
    package mutating func name(for result: TypedResult) -> String {
        let base =
            Self.safe(result.output.id) + (result.file.isEmpty ? "" : "-" + Self.safe(Self.stem(result.recordingName)))
        return unused(base)
    }

    package mutating func unused(_ base: String) -> String {
        var name = base
        var number = 2
        while !taken.insert(name.lowercased()).inserted {
            name = "\(base)-\(number)"
            number += 1
        }
        return name
    }

    /// A recording's name without its file's ending. What follows the last dot is one only where it is short and made of letters and digits: a
    /// result may be of a part of a recording, as of "talk.flac: credit".
    private static func stem(_ name: String) -> String {
        guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return name }
        let ending = name[dot...].dropFirst()
        let isEnding =
            (1...5).contains(ending.count) && ending.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
        return isEnding ? String(name[..<dot]) : name
    }

    /// Letters, digits, `.`, `_` and `-`; everything else becomes `_`. Never empty, hidden, or too long.
    package static func safe(_ text: String) -> String {
        var out = ""
        for character in text {
            let isKept = character.isLetter || character.isNumber || "._-".contains(character)
            let next = isKept ? String(character) : "_"
            guard out.utf8.count + next.utf8.count <= longest / 2 else { break }
            out += next
        }
        while out.first == "." || out.first == "-" { out.removeFirst() }
        return out.isEmpty ? "result" : out
    }
}
