/// Hugging Face's byte-level BPE: tokens are written as text, a character for each byte.
extension Vocabulary {
    /// Reads `tokenizer.json`.
    static func huggingFace(_ file: TokenizerFile, nVocab: Int) throws -> Vocabulary {
        if let type = file.type, type != "BPE" {
            throw WhisperError(.unsupported, "\(file.name): a \(type) tokenizer, expected BPE")
        }
        return try build(
            vocab: file.vocabulary(), added: file.added(), merges: file.merges(), name: file.name, nVocab: nVocab)
    }

    /// Reads `vocab.json` and, where they lie beside it, `merges.txt` and `added_tokens.json`.
    static func huggingFaceMap(
        _ file: TokenizerFile, nVocab: Int, read: (String) throws -> [UInt8]?
    ) throws -> Vocabulary {
        let added = try read("added_tokens.json").map { try TokenizerFile($0, name: "added_tokens.json").map() } ?? [:]
        let merges = try read("merges.txt").map { bytes in
            String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
                .filter { !$0.hasPrefix("#version") }.map(TokenizerFile.merged)
        }
        return try build(vocab: file.map(), added: added, merges: merges ?? [], name: file.name, nVocab: nVocab)
    }

    /// The vocabulary of tokens as text; ids are ranks.
    static func build(
        vocab: [String: Int], added: [String: Int], merges: [String], name: String, nVocab: Int
    ) throws -> Vocabulary {
        // Some files list special tokens among the ordinary ones too, and <|endoftext|> only there.
        var specials = added
        if let end = vocab["<|endoftext|>"] { specials["<|endoftext|>"] = end }
        let ordinary = vocab.filter { specials[$0.key] != $0.value }
        var tokens = [[UInt8]?](repeating: nil, count: ordinary.count)
        for (text, id) in ordinary {
            guard tokens.indices.contains(id), tokens[id] == nil else {
                throw WhisperError(
                    .dataLoss, "\(name): token \"\(text)\" has id \(id); expected each of 0..<\(ordinary.count) once")
            }
            tokens[id] = try byteLevelBytes(text, name: name)
        }
        try checkMergeOrder(merges, vocab: vocab, name: name)
        if specials.count == 1, specials["<|endoftext|>"] != nil { specials = [:] }
        return try Vocabulary(tokens: tokens.compactMap { $0 }, specialTokens: specials)
            .completed(nVocab: nVocab, source: name)
    }

    /// Ids serve as ranks, which is right only where the merges come in the order of the ids they make. A token may come
    /// several times in a row: files that are made from ranks list each way to split it.
    private static func checkMergeOrder(_ merges: [String], vocab: [String: Int], name: String) throws {
        var last = -1
        for merge in merges {
            guard let id = vocab[merge], id >= last else {
                throw WhisperError(
                    .unsupported, "\(name): the merge to \"\(merge)\" makes no token, or one out of the order of ids")
            }
            last = id
        }
    }

    private static func byteLevelBytes(_ text: String, name: String) throws -> [UInt8] {
        try text.unicodeScalars.map { scalar in
            if let byte = byteOfScalar[scalar] { return byte }
            throw WhisperError(
                .dataLoss, "\(name): \"\(text)\" is not a byte-level token: no byte is written \"\(scalar)\"")
        }
    }

    /// GPT-2's way to write bytes: printable Latin-1 as itself, the other bytes as U+0100, U+0101 … in their order.
    private static let byteOfScalar: [Unicode.Scalar: UInt8] = {
        var map: [Unicode.Scalar: UInt8] = [:]
        var next: UInt32 = 256
        for byte in UInt8.min...UInt8.max {
            let isPrintable = (33...126).contains(byte) || (161...172).contains(byte) || byte >= 174
            let value = isPrintable ? UInt32(byte) : next
            if !isPrintable { next += 1 }
            if let scalar = Unicode.Scalar(value) { map[scalar] = byte }
        }
        return map
    }()
}
