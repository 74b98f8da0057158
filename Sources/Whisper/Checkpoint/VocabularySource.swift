/// Where a checkpoint's vocabulary is looked for.
enum VocabularySource: Sendable {
    /// In the checkpoint itself, and in the tokenizer files beside it.
    case besideWeights
    /// In a file or folder that the user named.
    case file(String)

    init(_ path: String?) { self = path.map(VocabularySource.file) ?? .besideWeights }

    /// The user's file, or the one that lies in `folder`; nil where there is none.
    /// - Throws: ``WhisperError`` where a file is damaged, or is that of a model with another number of tokens.
    func load(beside folder: any FileTree, nVocab: Int) throws -> Vocabulary? {
        switch self {
        case .file(let path): return try Vocabulary.load(file: path, nVocab: nVocab)
        case .besideWeights:
            let tiktokens = folder.fileNames.filter { $0.hasSuffix(".tiktoken") }.sorted()
            return try Vocabulary.load(nVocab: nVocab, tiktokenNames: tiktokens) { try folder.bytes(of: $0)?.array }
        }
    }

    /// The user's file, or else the vocabulary of `tokens`, which a checkpoint brought along.
    ///
    /// A list of ordinary tokens alone is enough only where the special ones lie as in a published model. Where they do
    /// not, tokenizer files in `folder` can tell; without those there is no vocabulary, which tracing can do without.
    func load(own tokens: [[UInt8]], beside folder: any FileTree, nVocab: Int) throws -> Vocabulary? {
        guard case .besideWeights = self, !tokens.isEmpty else { return try load(beside: folder, nVocab: nVocab) }
        do {
            return try Vocabulary(ggmlTokens: tokens, nVocab: nVocab)
        } catch let error as WhisperError where error.code == .unsupported {
            return try load(beside: folder, nVocab: nVocab)
        }
    }
}
