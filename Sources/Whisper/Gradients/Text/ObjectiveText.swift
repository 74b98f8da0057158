/// What an objective's text says, before a model is there to say whether it makes sense:
///
///     encoder-sum                                the sum of all of the encoder's outputs
///     transcript                                 the log-probability of the tokens that the decoder reads after its prompt
///     text WORDS                                 the same of a text, which the decoder then reads
///     token T [- T] [behind n]                   a token's logit, or a difference of two; T is an id, or a word (in quotes with blanks)
///     HOOK:INDEX[@frames a:b]                    an element of each position, summed; INDEX is i, HEAD.i, HEAD.* or *
///     HOOK latent FOLDER i [@frames a:b]         a latent of a sparse dictionary, summed over positions
///     FILE.safetensors                           Σ weight · activation, over the file's tensors, which have names of hook points
///
/// A logit is read behind token number n of what the decoder reads, counted from 0; without `behind`, where T is what comes next after
/// the prompt for the first time, else behind the last. Positions are those of ``InterventionText``; without them, those that overlap audio.
package struct ObjectiveText: Sendable {
    enum Content: Sendable {
        case encoderSum, transcript
        case text(String)
        case token(TokenName, minus: TokenName?, behind: Int?)
        case element(head: Int?, column: Int?)
        case latent(Int)
        case file
    }

    enum TokenName: Sendable {
        case id(Int)
        case word(String)
    }

    let words: HookWords
    let content: Content
    /// The hook point of the contents that have one.
    private(set) var hook = ""
    private(set) var positions: PositionBounds?
    /// The FILE or FOLDER of the contents that have one.
    private(set) var file: HookWords.Word?

    /// As it was written.
    package var text: String { words.text }

    /// The text that the decoder is to read for it; nil where it is content with whatever that reads.
    package var textToRead: String? { if case .text(let text) = content { text } else { nil } }

    /// - Throws: ``WhisperError`` (`invalidArgument`) that shows the part that was not understood, and where it stands.
    package init(_ text: String) throws {
        var words = try HookWords(text, of: "objective")
        let first = try words.next(
            "encoder-sum, transcript, text WORDS, token T, HOOK:INDEX, HOOK latent FOLDER i or FILE.safetensors")
        self.words = words
        switch first.text {
        case "encoder-sum": content = .encoderSum
        case "transcript": content = .transcript
        case "text":
            // The rest as it stands, blanks and punctuation too.
            content = .text(Self.unquoted(text[first.range.upperBound...]))
            guard let said = textToRead, said.contains(where: { !$0.isWhitespace }) else {
                throw words.error("the text is empty; expected some words", at: first)
            }
            return
        case "token":
            let token = try words.token()
            let isDifference = words.take { $0 == "-" || $0 == "−" } != nil
            let other = isDifference ? try words.token() : nil
            let isPlaced = words.take { $0 == "behind" } != nil
            content = .token(token, minus: other, behind: isPlaced ? try words.natural("a token's number") : nil)
        case let name where name.hasSuffix(".safetensors"):
            file = first
            content = .file
        case let name:
            if words.take(where: { $0 == "latent" }) != nil {
                hook = name
                file = try words.next("a dictionary's folder")
                content = .latent(try words.natural("a latent's number"))
            } else {
                guard let colon = name.lastIndex(of: ":") else {
                    throw words.error(
                        "\"\(name)\" is no objective; expected encoder-sum, transcript, text WORDS, token T, HOOK:INDEX, "
                            + "HOOK latent FOLDER i or FILE.safetensors", at: first)
                }
                hook = String(name[..<colon])
                content = try Self.element(name[name.index(after: colon)...], first, words)
            }
            if let qualifier = words.take(where: { $0.hasPrefix("@") }) {
                guard ["@frames", "@tokens"].contains(qualifier.text) else {
                    throw words.error("\"\(qualifier.text)\" is no qualifier; @frames and @tokens are", at: qualifier)
                }
                positions = try words.bounds()
            }
        }
        try words.end()
    }

    /// `i`, `HEAD.i`, `HEAD.*` or `*`.
    private static func element(_ index: Substring, _ word: HookWords.Word, _ words: HookWords) throws -> Content {
        let parts = index.split(separator: ".", omittingEmptySubsequences: false)
        func number(_ part: Substring) throws -> Int {
            guard let number = Int(part), number >= 0 else {
                throw words.error("\"\(index)\" is no index; expected i, HEAD.i, HEAD.* or *", at: word)
            }
            return number
        }
        let column = parts.last == "*" ? nil : try number(parts.last ?? "")
        guard parts.count <= 2 else { return .element(head: try number(""), column: nil) }
        return .element(head: parts.count == 2 ? try number(parts[0]) : nil, column: column)
    }

    private static func unquoted(_ text: Substring) -> String {
        let trimmed = text.drop { $0.isWhitespace }
        guard trimmed.count >= 2, trimmed.first == "\"", trimmed.last == "\"" else { return String(trimmed) }
        return String(trimmed.dropFirst().dropLast())
    }

    /// The text with another path in place of its file's.
    /// - Parameter path: makes it of the one that is written.
    package func replacingFile(_ path: (String) throws -> String) rethrows -> String {
        guard let file else { return text }
        return text.replacingCharacters(in: file.range, with: InterventionText.quoted(try path(file.text)))
    }
}

extension HookWords {
    fileprivate mutating func token() throws -> ObjectiveText.TokenName {
        let word = try next("a token: its id, or its text")
        let isQuoted = text[word.range].hasPrefix("\"")
        if !isQuoted, let id = Int(word.text), id >= 0 { return .id(id) }
        guard !word.text.isEmpty else { throw error("the token is empty", at: word) }
        return .word(word.text)
    }
}
