/// Where a checkpoint's vocabulary is looked for.
enum VocabularySource: Sendable {
    /// In the tokenizer files beside the weights, or in the checkpoint itself.
    case besideWeights
    /// In a file or folder that the user named.
    case file(String)

    init(_ path: String?) { self = path.map(VocabularySource.file) ?? .besideWeights }

    /// The user's file, or one that lies in `folder`; nil where there is none.
    /// - Throws: ``WhisperError`` where a file is damaged, or is that of a model with another number of tokens.
    func load(beside folder: any FileTree, nVocab: Int) throws -> Vocabulary? {
        nil
    }

    /// The user's file, or else `own`, the tokens that a checkpoint brought along.
    func load(own tokens: [[UInt8]], nVocab: Int) throws -> Vocabulary? {
        nil
    }
}
