/// The tokens of a model: byte strings in rank order, and the special tokens by name.
///
/// The id of an ordinary token is its rank, as in tiktoken; merging prefers the lower rank.
public struct Vocabulary: Sendable {
    /// Ordinary tokens; the index is rank and id.
    public let tokens: [[UInt8]]
    /// Special tokens by their text (`<|startoftranscript|>`, `<|en|>`, `<|0.00|>` …), with their ids.
    public let specialTokens: [String: Int]

    public init(tokens: [[UInt8]], specialTokens: [String: Int]) {
        self.tokens = tokens
        self.specialTokens = specialTokens
    }
}
