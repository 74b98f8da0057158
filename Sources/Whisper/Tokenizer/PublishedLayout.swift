/// Where openai's Whisper models keep their special tokens, for files that list none.
///
/// The order is that of `get_encoding` in openai/whisper's tokenizer.py: after the ranks come
/// `<|endoftext|>`, `<|startoftranscript|>`, 99 languages (100 from large-v3 on), the tasks and marks, and
/// 1501 timestamps.
enum PublishedLayout {
    static let timestamps = 1501
    private static let head = ["<|endoftext|>", "<|startoftranscript|>"]
    private static let marks = [
        "<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>",
    ]

    /// - Throws: ``WhisperError`` (`unsupported`) where no published number of languages gives `nVocab`.
    static func specialTokens(ranks: Int, nVocab: Int, source: String) throws -> [String: Int] {
        let fixed = head.count + marks.count + timestamps
        let languages = nVocab - ranks - fixed
        guard languages == 99 || languages == 100 else {
            throw WhisperError(
                .unsupported,
                """
                \(source): \(ranks) tokens without special tokens; Whisper's published layout makes \
                \(ranks + fixed + 99) or \(ranks + fixed + 100) of them, but the model has \(nVocab); \
                a special_tokens.json is needed beside it
                """)
        }
        let names =
            head + Language.published.prefix(languages).map { "<|\($0.code)|>" } + marks
            + (0..<timestamps).map(Vocabulary.timestampName)
        return Dictionary(uniqueKeysWithValues: zip(names, ranks...))
    }

    /// FNV-1a (64 bits) over every token's length and bytes: tells which vocabulary this is.
    static func digest(of tokens: [[UInt8]]) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        for token in tokens {
            add(UInt8(truncatingIfNeeded: token.count))
            token.forEach(add)
        }
        return hash
    }

    /// The digest of GPT-2's 50,256 tokens, which the English-only models use.
    static let gpt2Digest: UInt64 = 0xcb47_5f81_e570_c65c
}
