import TensorFiles

extension Checkpoint {
    /// Opens a checkpoint of any supported format; what a file is, its content says and not its name.
    ///
    /// - Hugging Face: a folder with `config.json` and `model.safetensors` or `pytorch_model.bin` (or shards with their
    ///   index), or a path to one of these files. f32, f16, bf16.
    /// - CTranslate2, which faster-whisper uses: a folder with `model.bin`, or that file. f32, f16, bf16, and 8 or 16 bits
    ///   with scales.
    /// - openai/whisper's `.pt`: a PyTorch archive. Nothing in its pickle is executed.
    /// - whisper.cpp's ggml `.bin`: f32, f16, q4_0, q4_1, q5_0, q5_1, q8_0.
    ///
    /// Headers are read and checked against each other; weights stay in the mapped file until they are asked for.
    /// Structure is checked wholly, and a `.pt`'s weights against its checksums. The other formats have none, so a
    /// changed bit among their weights is not noticed, nor a number of heads that divides the width as well. Weights
    /// may be NaN or infinite.
    ///
    /// - Parameter vocabulary: a tokenizer file to use instead of what the checkpoint has or what lies beside it.
    /// - Throws: ``WhisperError``: `notFound`; `dataLoss` for a damaged file, `unsupported` for another format or
    ///   architecture.
    public static func open(_ path: String, vocabulary: String? = nil) throws -> Checkpoint {
        guard !(try isFolder(path)) else { return try open(files: DiskFolder(path), vocabulary: vocabulary) }
        let (folder, file) = split(path)
        return try open(
            MappedFile(path).bytes, file: file, in: DiskFolder(folder), vocabulary: VocabularySource(vocabulary))
    }

    /// Opens a folder that lies on disk or in memory: Hugging Face's, or one with a `model.bin`.
    public static func open(files: some FileTree, vocabulary: String? = nil) throws -> Checkpoint {
        try open(files: files, vocabulary: VocabularySource(vocabulary))
    }

    private static func open(files: some FileTree, vocabulary: VocabularySource) throws -> Checkpoint {
        let names = Set(files.fileNames)
        let isHuggingFace = (HuggingFaceWeights.files + HuggingFaceWeights.indexes).contains { names.contains($0) }
        guard !isHuggingFace, let bytes = try files.bytes(of: modelFile) else {
            return try HuggingFaceCheckpoint(folder: files).open(vocabulary: vocabulary)
        }
        return try open(bytes, file: modelFile, in: files, vocabulary: vocabulary)
    }

    /// What CTranslate2 calls its file.
    private static let modelFile = "model.bin"

    /// Opens the file `file` of `folder`, whose content is `bytes`.
    package static func open(
        _ bytes: FileBytes, file: String, in folder: some FileTree, vocabulary: String? = nil
    ) throws -> Checkpoint {
        try open(bytes, file: file, in: folder, vocabulary: VocabularySource(vocabulary))
    }

    private static func open(
        _ bytes: FileBytes, file: String, in folder: some FileTree, vocabulary: VocabularySource
    ) throws -> Checkpoint {
        switch try Content(of: bytes) {
        case .zip where file.hasPrefix("pytorch_model"):
            return try HuggingFaceCheckpoint(folder: folder).open(weights: file, vocabulary: vocabulary)
        case .zip: return try OpenAICheckpoint(bytes).open(folder: folder, vocabulary: vocabulary)
        case .cTranslate2: return try CTranslate2Checkpoint(bytes).open(folder: folder, vocabulary: vocabulary)
        case .ggml: return try GGMLCheckpoint(bytes).open(folder: folder, vocabulary: vocabulary)
        case .safetensors: return try HuggingFaceCheckpoint(folder: folder).open(weights: file, vocabulary: vocabulary)
        case .json where file != modelFile: return try open(files: folder, vocabulary: vocabulary)
        case .json: throw WhisperError(.unsupported, "\(bytes.name) is JSON, not a model")
        }
    }

    private static func split(_ path: String) -> (folder: String, file: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        return (slash == path.startIndex ? "/" : String(path[..<slash]), String(path[path.index(after: slash)...]))
    }
}

extension Checkpoint {
    /// What PyTorch writes begins as every zip archive does.
    static func isZip(_ bytes: FileBytes) -> Bool { bytes.starts(with: "PK\u{3}\u{4}".utf8) }
}

/// What a file begins like.
private enum Content {
    case zip, ggml, cTranslate2, safetensors, json

    init(of bytes: FileBytes) throws {
        if Checkpoint.isZip(bytes) {
            self = .zip
        } else if CTranslate2File.begins(bytes) {
            self = .cTranslate2
        } else if bytes.integer(at: 0, as: UInt32.self) == GGMLCheckpoint.magic {
            self = .ggml
        } else if let header = bytes.integer(at: 0, as: UInt64.self), header <= SafetensorsFile.maximumHeader,
            bytes.integer(at: 8, as: UInt8.self) == UInt8(ascii: "{")
        {
            self = .safetensors
        } else if bytes.starts(with: "{".utf8) {
            self = .json
        } else {
            throw Self.refusal(bytes)
        }
    }

    /// Says what the file is, where that is known.
    private static func refusal(_ bytes: FileBytes) -> WhisperError {
        if bytes.count == 0 { return WhisperError(.dataLoss, "\(bytes.name) is empty") }
        let known: [(prefix: [UInt8], what: String)] = [
            (Array("GGUF".utf8), "a GGUF file; whisper.cpp's models are ggml files"),
            (Array("version https://git-lfs".utf8), "a Git LFS pointer, not the file that it points to"),
            (Array("<".utf8), "a web page or XML, not a model"),
            ([0x80, 0x02], "a PyTorch file from before version 1.6; load and save it again"),
            ([0x1F, 0x8B], "gzip-compressed; unpack it first"),
        ]
        let what =
            known.first { bytes.starts(with: $0.prefix) }?.what
            ?? "none of the formats known: a Hugging Face folder, an openai .pt, a whisper.cpp ggml .bin, a CTranslate2 "
            + "folder"
        return WhisperError(.unsupported, "\(bytes.name) is \(what)")
    }
}
