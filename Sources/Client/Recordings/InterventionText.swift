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

    /// Where the file of `HOOK … = add FILE x` or `HOOK … = set FILE`, or the folder of `HOOK … splice FOLDER` or
    /// `HOOK … latent FOLDER i = …` stands, quotes included; the `=` may be missing.
    private static func fileRange(in text: String) -> Range<String.Index>? {
        let (words, equals) = words(of: text)
        // The hook point, and qualifiers with their values: `@frames a:b`.
        var rest = words.dropFirst()
        while let word = rest.first, text[word].hasPrefix("@") { rest = rest.dropFirst(2) }
        if let equals, rest.first.map({ $0.lowerBound <= equals }) != false {
            // A latent's `=` comes behind the folder.
            if let word = rest.first, text[word] == "latent" { return rest.dropFirst().first }
            rest = words[...].drop { $0.lowerBound <= equals }
        }
        guard let operation = rest.popFirst(), ["add", "set", "splice", "latent"].contains(text[operation]) else {
            return nil
        }
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
    package func interventions(in folder: String) -> [V1.Intervention] {
        map { V1.Intervention(text: InterventionText($0, in: folder).text) }
    }
}
