/// What an intervention's text says, before a model is there to say whether it makes sense:
///
///     HOOK[@frames a:b][@heads h,h] = zero | mean | scale x | add FILE x | set FILE | noise s [seed n]
///     encoder.blocks.*.attn[@heads h,h] window k
///     encoder.ln_post substitute-padding a:b
///     HOOK[@frames a:b] splice FOLDER
///     HOOK[@frames a:b] latent FOLDER i = zero | scale x | set v
///
/// FOLDER is a sparse dictionary's (``Dictionaries/SparseDictionary/read(_:)``). HOOK is a name, a glob or an alias
/// (``HookPoint/matching(_:in:)``). A bound of a range may be left out, and may be given in seconds: `@frames 1.5s:3s`; for
/// the decoder, `@tokens a:b`. Ranges are half open. A FILE with blanks in its name stands in double quotes.
///
/// This is the one reader of that text; errors name the character where they found something else.
package struct InterventionText: Sendable {
    typealias Word = HookWords.Word

    enum Operation: Sendable {
        case zero, mean, substitutePadding
        case scale(Float)
        case add(Float)
        case set
        case noise(Float, seed: UInt64)
        case window(Int)
        case splice
        case latent(Int, LatentChange)
    }

    let words: HookWords
    let hook: Word
    private(set) var positions: PositionBounds?
    private(set) var heads: [Int]?
    let operation: Operation
    /// The FILE or FOLDER of the operations that have one.
    private(set) var file: Word?

    /// - Throws: ``WhisperError`` (`invalidArgument`) that shows the part that was not understood, and where it stands.
    package init(_ text: String) throws {
        var words = try HookWords(text, of: "intervention")
        hook = try words.next("a hook point")
        while let qualifier = words.take(where: { $0.hasPrefix("@") }) {
            switch qualifier.text {
            case "@frames", "@tokens": positions = try words.bounds()
            case "@heads": heads = try words.integers("heads, as in 0,3")
            default:
                throw words.error(
                    "\"\(qualifier.text)\" is no qualifier; @frames, @tokens and @heads are", at: qualifier)
            }
        }
        _ = words.take { $0 == "=" }
        let name = try words.next("an operation")
        switch name.text {
        case "zero": operation = .zero
        case "mean": operation = .mean
        case "scale": operation = .scale(try words.number("a factor"))
        case "add":
            file = try words.next("a file")
            operation = .add(try words.number("a factor"))
        case "set":
            file = try words.next("a file")
            operation = .set
        case "noise":
            let deviation = try words.number("a standard deviation")
            let seeded = words.take { $0 == "seed" } != nil
            operation = .noise(deviation, seed: UInt64(seeded ? try words.natural("a seed") : 0))
        case "window": operation = .window(try words.natural("a number of positions"))
        case "substitute-padding":
            operation = .substitutePadding
            if !words.isEmpty { positions = try words.bounds() }
        case "splice":
            file = try words.next("a dictionary's folder")
            operation = .splice
        case "latent":
            file = try words.next("a dictionary's folder")
            operation = .latent(try words.natural("a latent's number"), try words.latentChange())
        default:
            throw words.error(
                "\"\(name.text)\" is no operation; zero, mean, scale, add, set, noise, window, substitute-padding, splice "
                    + "and latent are", at: name)
        }
        try words.end()
        self.words = words
    }

    /// The text with another path in place of its file's.
    /// - Parameter path: makes it of the one that is written.
    package func replacingFile(_ path: (String) throws -> String) rethrows -> String {
        guard let file else { return words.text }
        return words.text.replacingCharacters(in: file.range, with: Self.quoted(try path(file.text)))
    }

    /// A path as the text has it.
    package static func quoted(_ path: String) -> String {
        path.contains(where: \.isWhitespace) ? "\"\(path)\"" : path
    }
}

extension HookWords {
    fileprivate mutating func latentChange() throws -> LatentChange {
        _ = take { $0 == "=" }
        let change = try next("zero, scale x or set v")
        switch change.text {
        case "zero": return .set(0)
        case "scale": return .scale(try number("a factor"))
        case "set": return .set(try number("a value"))
        default:
            throw error("\"\(change.text)\" cannot be done to a latent; expected zero, scale x or set v", at: change)
        }
    }
}
