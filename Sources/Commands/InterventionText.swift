import Messages

/// The text form of an intervention, which the daemon reads; only the file in it is this program's business.
package struct InterventionText {
    /// With the file's path made absolute, in quotes where it has blanks in it.
    package let text: String

    /// - Parameter folder: where a relative path in it begins.
    package init(_ written: String, in folder: String) {
        guard let range = Self.fileRange(in: written) else {
            text = written
            return
        }
        let path = absolutePath(written[range].filter { $0 != "\"" }, in: folder)
        let word = path.contains(where: \.isWhitespace) ? "\"\(path)\"" : path
        text = written.replacingCharacters(in: range, with: word)
    }

    /// Where the file of `HOOK … = add FILE x` or `HOOK … = set FILE` stands, quotes included; the `=` may be missing.
    private static func fileRange(in text: String) -> Range<String.Index>? {
        var words = words(of: text)[...]
        if let equals = text.firstIndex(of: "=") {
            words = Self.words(of: text[text.index(after: equals)...])[...]
        } else {
            // The hook point, and qualifiers with their values: `@frames a:b`.
            _ = words.popFirst()
            while let word = words.first, text[word].hasPrefix("@") { words = words.dropFirst(2) }
        }
        guard let operation = words.popFirst(), ["add", "set"].contains(text[operation]) else { return nil }
        return words.first
    }

    /// Words apart at blanks; one in double quotes may have blanks in it. Where there is no `=`, a word also begins at
    /// an `@`.
    private static func words(of text: Substring) -> [Range<String.Index>] {
        var words: [Range<String.Index>] = []
        var start: String.Index?
        var isQuoted = false
        let isPlace = !text.base.contains("=")
        for index in text.indices {
            let character = text[index]
            if let begin = start, !isQuoted, character.isWhitespace || (character == "@" && isPlace) {
                words.append(begin..<index)
                start = nil
            }
            if start == nil, !character.isWhitespace { start = index }
            if character == "\"" { isQuoted.toggle() }
        }
        if let start { words.append(start..<text.endIndex) }
        return words
    }

    private static func words(of text: String) -> [Range<String.Index>] { words(of: text[...]) }
}

extension [String] {
    /// The interventions that these arguments of `--intervene` ask for.
    func interventions(in folder: String) -> [V1.Intervention] {
        map { V1.Intervention(text: InterventionText($0, in: folder).text) }
    }
}
