import Foundation

/// CTranslate2's list of all tokens, written as Hugging Face writes them; the place in the list is the id.
extension Vocabulary {
    /// Reads `vocabulary.json`, a list, or `vocabulary.txt`, a line for each token.
    ///
    /// The list has no merges: ids serve as ranks, as everywhere. What follows `<|endoftext|>` is special.
    /// - Returns: nil where there is neither.
    static func cTranslate2(nVocab: Int, read: (String) throws -> [UInt8]?) throws -> Vocabulary? {
        if let bytes = try read("vocabulary.json") {
            return try listed(
                TokenizerFile(bytes, name: "vocabulary.json").list(), name: "vocabulary.json", nVocab: nVocab)
        }
        guard let bytes = try read("vocabulary.txt") else { return nil }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw WhisperError(.dataLoss, "vocabulary.txt: not UTF-8")
        }
        // By scalars: to Swift a line that begins with a combining mark is one character with the newline before it.
        var lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" { lines.removeLast() }
        return try listed(lines, name: "vocabulary.txt", nVocab: nVocab)
    }

    private static func listed(_ tokens: [String], name: String, nVocab: Int) throws -> Vocabulary {
        guard let end = tokens.firstIndex(of: "<|endoftext|>"), tokens.count <= nVocab else {
            throw WhisperError(
                .dataLoss,
                "\(name): \(tokens.count) tokens, expected <|endoftext|> among them and at most the model's \(nVocab)")
        }
        return try build(
            vocab: ids(tokens[..<end], name: name), added: ids(tokens[end...], name: name), merges: [], name: name,
            nVocab: nVocab)
    }

    private static func ids(_ tokens: ArraySlice<String>, name: String) throws -> [String: Int] {
        try Dictionary(zip(tokens, tokens.indices)) { first, second in
            throw WhisperError(
                .dataLoss, "\(name): \"\(tokens[first])\" stands for token \(first) and for token \(second)")
        }
    }
}
