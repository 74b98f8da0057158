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
        let (words, equals) = words(of: text)
        var rest = words[...]
        if let equals {
            rest = rest.drop { $0.lowerBound <= equals }
        } else {
            // The hook point, and qualifiers with their values: `@frames a:b`.
            _ = rest.popFirst()
            while let word = rest.first, text[word].hasPrefix("@") { rest = rest.dropFirst(2) }
        }
        guard let operation = rest.popFirst(), ["add", "set"].contains(text[operation]) else { return nil }
        return rest.first
    }

    /// The words as the daemon takes them apart, at blanks that are not between double quotes, and where the first `=`
    /// is. That is a word, and before it an `@` begins one.
    private static func words(of text: String) -> (words: [Range<String.Index>], equals: String.Index?) {
        var words: [Range<String.Index>] = []
        var equals: String.Index?
        var start: String.Index?
        var isQuoted = false
        for index in text.indices {
            let character = text[index]
            let isFirstEquals = character == "=" && equals == nil && !isQuoted
            let begins = isFirstEquals || (character == "@" && equals == nil) || start.map { $0 == equals } == true
            if let begin = start, !isQuoted, character.isWhitespace || begins {
                words.append(begin..<index)
                start = nil
            }
            if isFirstEquals { equals = index }
            if start == nil, !character.isWhitespace { start = index }
            if character == "\"" { isQuoted.toggle() }
        }
        if let start { words.append(start..<text.endIndex) }
        return (words, equals)
    }
}

extension [String] {
    /// The interventions that these arguments of `--intervene` ask for.
    func interventions(in folder: String) -> [V1.Intervention] {
        map { V1.Intervention(text: InterventionText($0, in: folder).text) }
    }
}
