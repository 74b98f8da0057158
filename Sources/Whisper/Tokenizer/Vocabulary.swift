/// The tokens of a model: byte strings in rank order, and the special tokens by name.
///
/// The id of an ordinary token is its rank, as in tiktoken; merging prefers the lower rank.
public struct Vocabulary: Sendable {
    /// Ordinary tokens; the index is rank and id.
    public let tokens: [[UInt8]]
    /// Special tokens by their text (`<|startoftranscript|>`, `<|en|>`, `<|0.00|>` …), with their ids.
    public let specialTokens: [String: Int]
    /// Whether the model tells languages and tasks apart, so that a prompt names them.
    ///
    /// The `.en` models list 99 languages too, and their prompts name none. What sets them apart is
    /// their ordinary tokens, which are GPT-2's.
    public let isMultilingual: Bool

    public init(tokens: [[UInt8]], specialTokens: [String: Int]) {
        let hasLanguage = specialTokens.keys.contains { Vocabulary.languageCode(of: $0) != nil }
        self.init(
            tokens: tokens, specialTokens: specialTokens,
            isMultilingual: hasLanguage && PublishedLayout.digest(of: tokens) != PublishedLayout.gpt2Digest)
    }

    public init(tokens: [[UInt8]], specialTokens: [String: Int], isMultilingual: Bool) {
        self.tokens = tokens
        self.specialTokens = specialTokens
        self.isMultilingual = isMultilingual
    }

    /// The language that a special token stands for: `en` for `<|en|>`, nil for `<|transcribe|>`.
    ///
    /// Two or three small letters are a language; every other special token has a longer name.
    static func languageCode(of special: String) -> String? {
        guard special.hasPrefix("<|"), special.hasSuffix("|>"), (6...7).contains(special.utf8.count) else { return nil }
        let code = special.dropFirst(2).dropLast(2)
        return code.utf8.allSatisfy { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) } ? String(code) : nil
    }

    /// The name of the `index`-th timestamp token, `<|0.00|>`, `<|0.02|>` …
    static func timestampName(_ index: Int) -> String {
        let hundredths = 2 * index
        return "<|\(hundredths / 100).\(hundredths / 10 % 10)\(hundredths % 10)|>"
    }
}

extension Vocabulary {
    /// This vocabulary with the special tokens that its file left out, checked against the model's size.
    ///
    /// A file with no special tokens at all follows Whisper's published layout; one that stops at
    /// `<|notimestamps|>`, as the first Hugging Face folders do, is followed by the timestamps.
    func completed(nVocab: Int, source: String) throws -> Vocabulary {
        var specials = specialTokens
        if specials["<|startoftranscript|>"] == nil {
            specials = try PublishedLayout.specialTokens(ranks: tokens.count, nVocab: nVocab, source: source)
        } else if let last = specials["<|notimestamps|>"], (0..<nVocab).contains(last), specials["<|0.00|>"] == nil {
            for (index, id) in (last + 1..<nVocab).prefix(PublishedLayout.timestamps).enumerated() {
                specials[Vocabulary.timestampName(index)] = id
            }
        }
        let whole = Vocabulary(tokens: tokens, specialTokens: specials)
        try whole.check(nVocab: nVocab, source: source)
        return whole
    }

    private func check(nVocab: Int, source: String) throws {
        guard tokens.count <= nVocab else {
            throw WhisperError(
                .dataLoss, "\(source): \(tokens.count) tokens, but the model has \(nVocab); it belongs to another model"
            )
        }
        var names: [Int: String] = [:]
        for (name, id) in specialTokens.sorted(by: { $0.value < $1.value }) {
            guard (tokens.count..<nVocab).contains(id) else {
                throw WhisperError(
                    .dataLoss,
                    "\(source): special token \(name) has id \(id), expected one in \(tokens.count)..<\(nVocab)")
            }
            if let other = names.updateValue(name, forKey: id) {
                throw WhisperError(.dataLoss, "\(source): special tokens \(other) and \(name) share id \(id)")
            }
        }
    }
}
