import Foundation
import TensorFiles

extension Vocabulary {
    /// Tiktoken files that are looked for where a folder cannot be listed.
    public static let usualTiktokenNames = [
        "vocab.tiktoken", "tokenizer.tiktoken", "multilingual.tiktoken", "gpt2.tiktoken",
    ]

    /// The vocabulary that lies beside a checkpoint.
    ///
    /// In this order: `tokenizer.json`; `vocab.json` with `merges.txt` and `added_tokens.json`; `vocabulary.json` or
    /// `vocabulary.txt`; a `.tiktoken` file with its special tokens in `NAME.tiktoken.json` or `special_tokens.json`,
    /// if there is such a file.
    /// - Returns: nil where there is none of them.
    /// - Throws: ``WhisperError`` naming the file, where one is damaged or belongs to another model.
    public static func load(beside folder: String, nVocab: Int) throws -> Vocabulary? {
        let tiktokens = fileNames(in: folder).filter { $0.hasSuffix(".tiktoken") }.sorted()
        return try load(nVocab: nVocab, tiktokenNames: tiktokens) { try contents(of: "\(folder)/\($0)") }
    }

    /// The vocabulary in one named file, or in a folder: a `.tiktoken`, a `tokenizer.json` or a `vocab.json`.
    public static func load(file: String, nVocab: Int) throws -> Vocabulary {
        guard let isAFolder = try? isFolder(file) else {
            throw WhisperError(.notFound, "\(file): no such vocabulary file")
        }
        if isAFolder {
            if let vocabulary = try load(beside: file, nVocab: nVocab) { return vocabulary }
            throw WhisperError(.notFound, "\(file): no tokenizer.json, vocab.json or .tiktoken file in this folder")
        }
        let url = URL(fileURLWithPath: file)
        let folder = url.deletingLastPathComponent().path
        let name = url.lastPathComponent
        let read = { (name: String) in try contents(of: "\(folder)/\(name)") }
        if name.hasSuffix(".tiktoken") {
            if let vocabulary = try tiktoken(name, nVocab: nVocab, read: read) { return vocabulary }
        } else if name.hasSuffix(".json"), let bytes = try read(name) {
            let file = try TokenizerFile(bytes, name: name)
            return file.holdsModel
                ? try huggingFace(file, nVocab: nVocab) : try huggingFaceMap(file, nVocab: nVocab, read: read)
        }
        throw WhisperError(
            .unsupported, "\(file): not a vocabulary; expected a .tiktoken, a tokenizer.json or a vocab.json")
    }

    /// As ``load(beside:nVocab:)``, for files that lie anywhere: `read` gives a file's bytes by its name, nil where
    /// it is absent.
    public static func load(
        nVocab: Int, tiktokenNames: [String] = usualTiktokenNames, read: (String) throws -> [UInt8]?
    ) throws -> Vocabulary? {
        if let bytes = try read("tokenizer.json") {
            return try huggingFace(TokenizerFile(bytes, name: "tokenizer.json"), nVocab: nVocab)
        }
        if let bytes = try read("vocab.json") {
            return try huggingFaceMap(TokenizerFile(bytes, name: "vocab.json"), nVocab: nVocab, read: read)
        }
        if let vocabulary = try cTranslate2(nVocab: nVocab, read: read) { return vocabulary }
        return try onlyFitting(tiktokenNames) { try tiktoken($0, nVocab: nVocab, read: read) }
    }

    /// The one of several files that fits the model; openai's own folder, for one, holds two vocabularies.
    private static func onlyFitting(_ names: [String], _ load: (String) throws -> Vocabulary?) throws -> Vocabulary? {
        var fitting: [(name: String, vocabulary: Vocabulary)] = []
        var failure: (any Error)?
        for name in names {
            do {
                if let vocabulary = try load(name) { fitting.append((name, vocabulary)) }
            } catch {
                failure = failure ?? error
            }
        }
        guard fitting.count <= 1 else {
            let list = fitting.map(\.name).joined(separator: ", ")
            throw WhisperError(.invalidArgument, "several vocabularies fit the model: \(list); name the one to use")
        }
        if fitting.isEmpty, let failure { throw failure }
        return fitting.first?.vocabulary
    }

    /// Vocabularies are a few megabytes; a file that is far larger is not read into memory.
    private static let largestFile = 64 << 20

    private static func contents(of path: String) throws -> [UInt8]? {
        let bytes: FileBytes
        do { bytes = try MappedFile(path).bytes } catch let error as TensorFileError {
            if error.code == .notFound { return nil }
            throw WhisperError(
                error.code == .invalidArgument ? .unsupported : .unavailable, "\(path): not a file that can be read",
                cause: error)
        }
        guard bytes.count <= largestFile else {
            throw WhisperError(.dataLoss, "\(path): larger than \(largestFile >> 20) MB, so not a vocabulary")
        }
        return bytes.array
    }
}
