import Foundation

extension Vocabulary {
    /// Reads a `.tiktoken` file, a line `BASE64 RANK` for each token, and the special tokens from the JSON
    /// file beside it, if there is one: `{"special_tokens": {"<|endoftext|>": 50257, …}}`.
    static func tiktoken(
        _ name: String, nVocab: Int, read: (String) throws -> [UInt8]?
    ) throws -> Vocabulary? {
        guard let bytes = try read(name) else { return nil }
        let tokens = try tiktokenRanks(bytes, name: name)
        var specials: [String: Int] = [:]
        for candidate in ["\(name).json", "special_tokens.json"] {
            guard let json = try read(candidate) else { continue }
            specials = try TokenizerFile(json, name: candidate).specialTokens()
            break
        }
        return try Vocabulary(tokens: tokens, specialTokens: specials).completed(nVocab: nVocab, source: name)
    }

    /// The tokens of whisper.cpp's file: its list may stop after the ordinary tokens, or go on with the special ones.
    ///
    /// `ggmlTokens` are the byte strings as the file has them, in the order of their ids.
    public init(ggmlTokens: [[UInt8]], nVocab: Int) throws {
        let first = ggmlTokens.firstIndex { $0 == Array("<|endoftext|>".utf8) } ?? ggmlTokens.count
        var specials: [String: Int] = [:]
        for (id, token) in ggmlTokens.enumerated().dropFirst(first) where token.starts(with: "<|".utf8) {
            specials[String(decoding: token, as: UTF8.self)] = id
        }
        // Some converters write <|endoftext|> alone; the published layout places it itself.
        if specials.count == 1 { specials = [:] }
        self = try Vocabulary(tokens: Array(ggmlTokens[..<first]), specialTokens: specials)
            .completed(nVocab: nVocab, source: "the checkpoint's vocabulary")
    }

    private static func tiktokenRanks(_ bytes: [UInt8], name: String) throws -> [[UInt8]] {
        var tokens: [[UInt8]] = []
        for (number, line) in bytes.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }).enumerated() {
            let fields = line.split(separator: UInt8(ascii: " "))
            guard fields.count == 2, let token = base64(fields[0]),
                let rank = Int(String(decoding: fields[1], as: UTF8.self))
            else {
                throw WhisperError(.dataLoss, "\(name): line \(number + 1) is not a base64 token and its rank")
            }
            guard rank == tokens.count else {
                throw WhisperError(.dataLoss, "\(name): line \(number + 1) has rank \(rank), expected \(tokens.count)")
            }
            tokens.append(token)
        }
        guard !tokens.isEmpty else { throw WhisperError(.dataLoss, "\(name): no tokens in it") }
        return tokens
    }

    /// Standard base64. A lone `=` is the empty token, which Whisper's multilingual file has.
    private static func base64(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        if text.elementsEqual([UInt8(ascii: "=")]) { return [] }
        return Data(base64Encoded: Data(text)).map(Array.init)
    }
}
