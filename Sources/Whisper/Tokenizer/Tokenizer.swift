/// Text to token ids and back, with the special tokens of one model. Equal to openai/whisper's `Tokenizer`.
public struct Tokenizer: Sendable {
    public let vocabulary: Vocabulary
    /// `<|endoftext|>`: the ids below it are text.
    public let endOfText: Int
    /// `<|startoftranscript|>`
    public let startOfTranscript: Int
    /// `<|notimestamps|>`
    public let noTimestamps: Int
    /// `<|0.00|>`; the ids from here on are the timestamps, 0.02 s apart.
    public let timestampBegin: Int
    /// How many timestamps there are.
    public let timestampCount: Int
    /// The languages of the model's own special tokens, in the order of their ids.
    public let languages: [(code: String, token: Int)]

    private let encoder: BytePairEncoder
    let specialBytes: [Int: [UInt8]]

    /// - Throws: ``WhisperError`` (`dataLoss`) where the vocabulary lacks a byte, or a special token that every
    ///   Whisper has, and (`unsupported`) where the ids of its special tokens are out of order.
    public init(_ vocabulary: Vocabulary) throws {
        func required(_ name: String) throws -> Int {
            if let id = vocabulary.specialTokens[name] { return id }
            throw WhisperError(.dataLoss, "the vocabulary lacks the special token \(name)")
        }
        self.vocabulary = vocabulary
        encoder = try BytePairEncoder(tokens: vocabulary.tokens)
        endOfText = try required("<|endoftext|>")
        startOfTranscript = try required("<|startoftranscript|>")
        noTimestamps = try required("<|notimestamps|>")
        let begin = try required("<|0.00|>")
        timestampBegin = begin
        timestampCount =
            (1...).first { vocabulary.specialTokens[Vocabulary.timestampName($0)] != begin &+ $0 } ?? 1
        specialBytes = Dictionary(
            vocabulary.specialTokens.map { ($1, Array($0.utf8)) }, uniquingKeysWith: { first, _ in first })
        languages = vocabulary.specialTokens
            .compactMap { name, id in Vocabulary.languageCode(of: name).map { (code: $0, token: id) } }
            .sorted { $0.token < $1.token }
        try checkOrder()
    }

    /// The decoding rules rest on the order text < `<|endoftext|>` < other special tokens < timestamps.
    /// Tokens that someone added behind the timestamps are harmless: they are never sampled.
    private func checkOrder() throws {
        guard endOfText >= vocabulary.tokens.count else {
            throw WhisperError(.unsupported, "<|endoftext|> (\(endOfText)) lies among the ordinary tokens")
        }
        let (end, overflow) = timestampBegin.addingReportingOverflow(timestampCount)
        for (name, id) in vocabulary.specialTokens {
            let isTimestamp = name.utf8.dropFirst(2).first.map { (0x30...0x39).contains($0) } ?? false
            guard !overflow, id >= endOfText, isTimestamp == (timestampBegin..<end).contains(id) else {
                throw WhisperError(
                    .unsupported,
                    """
                    the special token \(name) has id \(id); expected <|endoftext|> (\(endOfText)) first and the \
                    timestamps, without a gap, from \(timestampBegin) on
                    """)
            }
        }
    }

    /// The id of a special token, nil where the model has none of that name.
    public func special(_ name: String) -> Int? { vocabulary.specialTokens[name] }
    /// `<|nospeech|>`, which older files call `<|nocaptions|>`.
    public var noSpeech: Int? { special("<|nospeech|>") ?? special("<|nocaptions|>") }
    public var isMultilingual: Bool { vocabulary.isMultilingual }
}

extension Tokenizer {
    /// The ids of `text`. What looks like a special token in it is plain text, so a user's words never steer the
    /// decoder.
    public func encode(_ text: String) -> [Int] {
        var text = text
        text.makeContiguousUTF8()
        let bytes = Array(text.utf8)
        var ids: [Int] = []
        PreTokenizer.forEachPiece(of: text) { encoder.encode(bytes[$0], into: &ids) }
        return ids
    }

    /// The text of `ids`, without timestamps. Bytes that are no UTF-8 become U+FFFD, as with Python's
    /// `errors="replace"`.
    public func decode(_ ids: [Int]) -> String {
        decodeWithTimestamps(ids.filter { $0 < timestampBegin })
    }

    /// The text of `ids`, with timestamps written as `<|1.08|>`.
    public func decodeWithTimestamps(_ ids: [Int]) -> String {
        String(decoding: bytes(of: ids), as: UTF8.self)
    }

    /// The bytes that `ids` stand for; an id that no token has stands for none.
    public func bytes(of ids: [Int]) -> [UInt8] {
        ids.flatMap { id -> [UInt8] in
            vocabulary.tokens.indices.contains(id) ? vocabulary.tokens[id] : specialBytes[id] ?? []
        }
    }
}
