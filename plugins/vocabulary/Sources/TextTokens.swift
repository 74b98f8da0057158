import PluginKit

/// The tokens that stand for text, and what each of them says.
///
/// They come first in every vocabulary of Whisper's; behind them are `<|endoftext|>` and the other special tokens.
package struct TextTokens: Sendable {
    /// By id. A token that is part of a character has U+FFFD.
    package let texts: [String]

    package init(_ texts: [String]) { self.texts = texts }

    /// - Parameter vocabulary: tokens of the model.
    package init(_ host: Host, vocabulary: Int) throws {
        let end = try host.encode("<|endoftext|>", parseSpecial: true)
        let count = end.count == 1 ? min(Int(end[0]), vocabulary) : vocabulary
        texts = try (0..<max(0, count)).map { token in
            if token % 1024 == 0 {
                try host.checkCancellation()
                host.progress(Double(token + 1), of: Double(count), unit: "texts of tokens")
            }
            return try host.decode([Int32(token)])
        }
    }

    package var count: Int { texts.count }
}
