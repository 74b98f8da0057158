import TensorFiles

/// whisper.cpp's ggml file: sizes, mel filters, tokens and tensors, one after the other, without an index.
///
/// The layout is that of whisper.cpp's `models/convert-pt-to-ggml.py`, all integers little-endian and 32 bits:
///
///     magic · 11 sizes · mel filters: rows, columns, f32s · tokens: count, then length and bytes of each
///     tensors until the end of the file: rank, length of the name, type, extents innermost first, name, elements
///
/// Extents come in ggml's order, the reverse of PyTorch's, with axes of extent 1 dropped or (for the bias of a
/// convolution, `[n, 1]`) added.
struct GGMLCheckpoint {
    static let magic: UInt32 = 0x6767_6D6C  // "ggml"
    /// A quantised file's type is 1000 × the quantisation's version + the type. Version 2 has f16 scales.
    private static let quantisationFactor = 1000

    private var cursor: ByteCursor
    private let file: String

    init(_ bytes: FileBytes) {
        self.cursor = ByteCursor(bytes)
        self.file = bytes.name
    }

    /// Reads everything but the tensors' elements.
    func open(folder: any FileTree, vocabulary: VocabularySource) throws -> Checkpoint {
        var reader = self
        let dimensions = try reader.readDimensions()
        try reader.skipFilters(bands: dimensions.nMels)
        let tokens = try reader.readTokens(atMost: dimensions.nVocab)
        let shapes = dimensions.tensorShapes
        var tensors: [String: StoredTensor] = [:]
        while reader.cursor.remaining > 0 {
            let (name, tensor) = try reader.readTensor()
            guard tensors.updateValue(tensor.shaped(like: shapes[name]), forKey: name) == nil else {
                throw WhisperError(.dataLoss, "\(file) has the tensor '\(name)' twice")
            }
        }
        return Checkpoint(
            format: .ggml, dimensions: dimensions,
            weights: try TensorTable(tensors, dimensions: dimensions, file: file),
            vocabulary: try vocabulary.load(own: tokens, beside: folder, nVocab: dimensions.nVocab),
            generation: GenerationConfig())
    }

    private mutating func readDimensions() throws -> ModelDimensions {
        guard try cursor.read(UInt32.self, "the magic number") == Self.magic else {
            throw WhisperError(.dataLoss, "\(file) does not begin with ggml's magic number")
        }
        let vocab = try readInt("n_vocab")
        let audioCtx = try readInt("n_audio_ctx")
        let audioState = try readInt("n_audio_state")
        let audioHead = try readInt("n_audio_head")
        let audioLayer = try readInt("n_audio_layer")
        let textCtx = try readInt("n_text_ctx")
        let textState = try readInt("n_text_state")
        let textHead = try readInt("n_text_head")
        let textLayer = try readInt("n_text_layer")
        let mels = try readInt("n_mels")
        let type = try readInt("ftype")

        let dimensions = ModelDimensions(
            nMels: mels, nAudioCtx: audioCtx, nAudioState: audioState, nAudioHead: audioHead, nAudioLayer: audioLayer,
            nVocab: vocab, nTextCtx: textCtx, nTextState: textState, nTextHead: textHead, nTextLayer: textLayer)
        try dimensions.check(file: file)
        try checkQuantisation(type)
        return dimensions
    }

    /// Files quantised before version 2 have blocks of another layout under the same type numbers.
    private func checkQuantisation(_ type: Int) throws {
        let (version, base) = type.quotientAndRemainder(dividingBy: Self.quantisationFactor)
        guard type >= 0, base < 2 || version == 2 else {
            throw WhisperError(
                .unsupported, "\(file): ggml file type \(base), version \(version); quantised files need version 2")
        }
    }

    /// Our filters are computed, so the file's are only stepped over.
    private mutating func skipFilters(bands: Int) throws {
        let rows = try readInt("the mel filters' rows")
        let columns = try readInt("the mel filters' columns")
        guard rows == bands, columns >= 0, let size = checkedProduct([rows, columns, 4]) else {
            throw WhisperError(.dataLoss, "\(file): mel filters of \(rows) × \(columns), for \(bands) bands")
        }
        _ = try cursor.take(size, "the mel filters")
    }

    private mutating func readTokens(atMost limit: Int) throws -> [[UInt8]] {
        let count = try readInt("the number of tokens")
        guard (0...limit).contains(count), count <= cursor.remaining / 4 else {
            throw WhisperError(.dataLoss, "\(file): \(count) tokens in a vocabulary of \(limit)")
        }
        var tokens: [[UInt8]] = []
        for index in 0..<count {
            let length = try readInt("a token's length")
            tokens.append(try cursor.take(length, "token \(index)").array)
        }
        return tokens
    }

    private mutating func readTensor() throws -> (String, StoredTensor) {
        let start = cursor.offset
        let rank = try readInt("a tensor's rank")
        let nameLength = try readInt("the length of a tensor's name")
        let code = try readInt("a tensor's type")
        guard (1...4).contains(rank), (1...256).contains(nameLength) else {
            throw WhisperError(
                .dataLoss, "\(file): at byte \(start), a tensor of rank \(rank) with a name of \(nameLength) bytes")
        }
        var shape: [Int] = []
        for _ in 0..<rank { shape.insert(try readInt("a tensor's extent"), at: 0) }
        let name = try cursor.text(nameLength, "a tensor's name")
        guard let type = Self.types[code] else {
            let kQuants = [10: "Q2_K", 11: "Q3_K", 12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K"]
            let type = kQuants[code].map { "\(code), the k-quant \($0)" } ?? "\(code)"
            throw WhisperError(
                .unsupported,
                "\(file): tensor '\(name)' has ggml type \(type), which is not read here; expected f32, f16, q4_0, q4_1, "
                    + "q5_0, q5_1 or q8_0")
        }
        guard let size = type.byteCount(of: shape) else {
            throw WhisperError(
                .dataLoss, "\(file): tensor '\(name)' has the impossible shape \(shape) for \(type.rawValue)")
        }
        let bytes = try cursor.take(size, "tensor '\(name)'")
        return (name, try StoredTensor(type, shape: shape, bytes: bytes.named("\(file), tensor '\(name)'")))
    }

    /// The numbers of `enum ggml_type`.
    private static let types: [Int: ElementType] = [
        0: .float32, 1: .float16, 2: .q4_0, 3: .q4_1, 6: .q5_0, 7: .q5_1, 8: .q8_0,
    ]

    private mutating func readInt(_ what: String) throws -> Int { Int(try cursor.read(Int32.self, what)) }
}

extension StoredTensor {
    /// The same tensor with `shape`, where the two differ only in axes of extent 1.
    fileprivate func shaped(like shape: [Int]?) -> StoredTensor {
        guard let shape, shape.filter({ $0 != 1 }) == self.shape.filter({ $0 != 1 }) else { return self }
        return reshaped(shape)
    }
}
