/// What an intervention's text says, before a model is there to say whether it makes sense. `auscult trace --help` shows its form.
///
/// HOOK is a name, a glob or an alias (``HookPoint/matching(_:in:)``). A bound of a range may be left out, and may be given in
/// seconds: `@frames 1.5s:3s`; for the decoder, `@tokens a:b`. Ranges are half open. A file with blanks in its name stands in double quotes.
///
/// This is the one reader of that text; errors name the character where they found something else.
package struct InterventionText: Sendable {
    typealias Word = HookWords.Word

    enum Operation: Sendable {
        case zero, substitutePadding, set
        /// Over a data set where it has one.
        case mean(over: Word?)
        case scale(Float)
        case add(Float)
        case noise(Float, seed: UInt64)
        case clamp(ClampText)
        /// From these frames or that word of another recording.
        case patch(PositionText?)
        case resample(seed: UInt64)
        case window(Int)
        case splice
        case latent(Int, LatentText)
    }

    enum LatentText: Sendable {
        case change(LatentChange)
        case clamp(ClampText)
    }

    let words: HookWords
    let hook: Word
    private(set) var positions: PositionText?
    private(set) var heads: [Int]?
    private(set) var columns: [Int]?
    /// Of an edge, who reads the change, and by which heads.
    private(set) var receiver: (hook: Word, heads: [Int]?)?
    let operation: Operation
    /// The FILE, FOLDER, RECORDING or DATASET of the operations that have one.
    private(set) var file: Word?

    /// - Throws: ``WhisperError`` (`invalidArgument`) that shows the part that was not understood, and where it stands.
    package init(_ text: String) throws {
        var words = try HookWords(text, of: "intervention")
        hook = try words.next("a hook point")
        while let qualifier = words.take(where: { $0.hasPrefix("@") }) {
            switch qualifier.text {
            case "@frames", "@tokens", "@word", "@": positions = try words.position(qualifier, after: positions)
            case "@heads": heads = try words.naturals("heads, as in 0,3")
            case "@neurons": columns = try words.naturals("neurons, as in 5,7 or 0-63")
            case "@to": receiver = try words.receiver()
            default:
                throw words.error(
                    "\"\(qualifier.text)\" is no qualifier; @frames, @tokens, @word, @heads, @neurons and @to are",
                    at: qualifier)
            }
        }
        _ = words.take { $0 == "=" }
        let name = try words.next("an operation")
        switch name.text {
        case "zero": operation = .zero
        case "mean": operation = .mean(over: try words.over())
        case "scale": operation = .scale(try words.number("a factor"))
        case "add":
            file = try words.next("a file")
            operation = .add(try words.number("a factor"))
        case "set":
            file = try words.next("a file")
            operation = .set
        case "noise": operation = .noise(try words.number("a standard deviation"), seed: try words.seed())
        case "clamp": operation = .clamp(try words.clamp())
        case "patch":
            file = try words.next("a recording, or a tensor file")
            let place = try words.take { $0.hasPrefix("@") }.map { try words.position($0, after: nil) }
            operation = .patch(place)
        case "resample":
            file = try words.next("a data set")
            operation = .resample(seed: try words.seed())
        case "window": operation = .window(try words.natural("a number of positions"))
        case "substitute-padding":
            operation = .substitutePadding
            if !words.isEmpty { positions = .bounds(try words.bounds()) }
        case "splice":
            file = try words.next("a dictionary's folder")
            operation = .splice
        case "latent":
            file = try words.next("a dictionary's folder")
            operation = .latent(try words.natural("a latent's number"), try words.latentChange())
        default:
            throw words.error(
                "\"\(name.text)\" is no operation; zero, mean, scale, add, set, noise, clamp, patch, resample, window, "
                    + "substitute-padding, splice and latent are", at: name)
        }
        try words.end()
        self.words = words
    }

    /// Every file, folder and data set that it names, in the order of the text.
    var files: [Word] {
        var data: Word?
        switch operation {
        case .mean(let over): data = over
        case .clamp(let clamp), .latent(_, .clamp(let clamp)): data = clamp.over
        default: break
        }
        return [file, data].compactMap { $0 }
    }

    /// Whether it speaks of words of the recording that it acts on.
    package var namesWords: Bool { if case .word? = positions { true } else { false } }

    /// Refuses words that are not among those of the recording that it acts on, or not once.
    /// - Throws: ``WhisperError`` (`invalidArgument`) with the words that are.
    package func checkWords(_ heard: [HeardWord]) throws {
        guard case .word(let name, let place)? = positions else { return }
        _ = try heard.named(name) { words.error($0, at: place) }
    }

    /// Whether it speaks of other recordings.
    package var namesSounds: Bool {
        switch operation {
        case .mean(let over): over != nil
        case .clamp(let clamp), .latent(_, .clamp(let clamp)): clamp.over != nil
        case .patch: file?.text.hasSuffix(".safetensors") == false
        case .resample: true
        default: false
        }
    }

    /// The text with other paths in place of its files'. What begins with `demo:` is an embedded clip or all of them, and stays.
    /// - Parameter path: makes it of the one that is written.
    package func replacingFile(_ path: (String) throws -> String) rethrows -> String {
        var text = words.text
        for file in files.reversed() where !file.text.hasPrefix(Self.embedded) {
            text.replaceSubrange(file.range, with: Self.quoted(try path(file.text)))
        }
        return text
    }

    /// How names of embedded clips begin.
    package static let embedded = "demo:"

    /// A path as the text has it.
    package static func quoted(_ path: String) -> String {
        path.contains(where: \.isWhitespace) ? "\"\(path)\"" : path
    }
}

/// The limits of a clamp as a text has them.
struct ClampText: Sendable {
    let lower: ClampLimit?, upper: ClampLimit?
    /// The data set that quantiles are measured over; nil for what the pass itself gives.
    let over: HookWords.Word?

    var hasQuantiles: Bool { [lower, upper].contains { if case .quantile? = $0 { true } else { false } } }
}

extension HookWords {
    /// `v`, or `a:b` with one bound or both; each a number, or a quantile as `q0.99`.
    fileprivate mutating func clamp() throws -> ClampText {
        let what = "a value, or limits as in 0:2, :1.5 or q0.01:q0.99"
        let word = try next(what)
        let parts = word.text.split(separator: ":", omittingEmptySubsequences: false)
        func limit(_ part: Substring) throws -> ClampLimit? {
            if part.isEmpty { return nil }
            if part.hasPrefix("q"), let q = Double(part.dropFirst()) {
                guard (0...1).contains(q) else { throw error("the quantile \(part) is outside 0 to 1", at: word) }
                return .quantile(q)
            }
            guard let value = Float(part), value.isFinite else { throw expected(what, word) }
            return .value(value)
        }
        guard parts.count <= 2, let first = parts.first, let last = parts.last else { throw expected(what, word) }
        let lower = try limit(first), upper = try limit(last)
        guard lower != nil || upper != nil else { throw expected(what, word) }
        if let lower, let upper, !lower.mayLieBelow(upper) {
            throw error("the lower limit of \(word.text) is above the upper one", at: word)
        }
        let clamp = ClampText(lower: lower, upper: upper, over: try over())
        if let over = clamp.over, !clamp.hasQuantiles {
            throw error("a clamp to values measures nothing over \(over.text); quantiles (q0.99) do", at: over)
        }
        return clamp
    }

    /// `over DATASET`, where it stands there.
    fileprivate mutating func over() throws -> Word? {
        guard take(where: { $0 == "over" }) != nil else { return nil }
        return try next("a data set")
    }

    fileprivate mutating func latentChange() throws -> InterventionText.LatentText {
        _ = take { $0 == "=" }
        let change = try next("zero, scale x, set v or clamp a:b")
        switch change.text {
        case "zero": return .change(.set(0))
        case "scale": return .change(.scale(try number("a factor")))
        case "set": return .change(.set(try number("a value")))
        case "clamp": return .clamp(try clamp())
        default:
            throw error(
                "\"\(change.text)\" cannot be done to a latent; expected zero, scale x, set v or clamp a:b", at: change)
        }
    }

    /// `HOOK` or `HOOK:h,h`: who reads a changed contribution.
    fileprivate mutating func receiver() throws -> (hook: Word, heads: [Int]?) {
        let word = try next("who reads it: a hook point, or HOOK:head,head")
        guard let colon = word.text.lastIndex(of: ":") else { return (word, nil) }
        var numbers = try HookWords(String(word.text[word.text.index(after: colon)...]), of: "list of heads")
        let heads = try numbers.naturals("heads, as in 0,3")
        return (Word(text: String(word.text[..<colon]), range: word.range), heads)
    }
}
