import TensorFiles

extension Checkpoint {
    /// Opens a checkpoint of any supported format; what a file is, its content says and not its name.
    ///
    /// - Hugging Face: a folder with `config.json` and `model.safetensors` (or shards with their index), or a path
    ///   to one of these files. f32, f16, bf16.
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

    /// Opens a Hugging Face folder that lies on disk or in memory.
    public static func open(files: some FileTree, vocabulary: String? = nil) throws -> Checkpoint {
        try HuggingFaceCheckpoint(folder: files).open(vocabulary: VocabularySource(vocabulary))
    }

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
        case .zip: return try OpenAICheckpoint(bytes).open(folder: folder, vocabulary: vocabulary)
        case .ggml: return try GGMLCheckpoint(bytes).open(folder: folder, vocabulary: vocabulary)
        case .safetensors: return try HuggingFaceCheckpoint(folder: folder).open(weights: file, vocabulary: vocabulary)
        case .json: return try HuggingFaceCheckpoint(folder: folder).open(vocabulary: vocabulary)
        }
    }

    private static func split(_ path: String) -> (folder: String, file: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        return (slash == path.startIndex ? "/" : String(path[..<slash]), String(path[path.index(after: slash)...]))
    }
}

/// What a file begins like.
private enum Content {
    case zip, ggml, safetensors, json

    init(of bytes: FileBytes) throws {
        if bytes.starts(with: "PK\u{3}\u{4}".utf8) {
            self = .zip
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
            ?? "none of the formats known: a Hugging Face folder, an openai .pt, a whisper.cpp ggml .bin"
        return WhisperError(.unsupported, "\(bytes.name) is \(what)")
    }
}
