import Kernels

/// Where a model's weights come from, whatever the file format.
///
/// Names are openai/whisper's (`encoder.blocks.0.attn.query.weight`); a format that spells them
/// otherwise translates. Shapes are PyTorch's (`[out, in]`, convolutions `[out, in, 3]`).
public protocol WeightSource: Sendable {
    /// The names of all tensors, sorted.
    var names: [String] { get }
    /// The tensor `name` as float32, where possible as a view of the mapped file.
    /// - Throws: ``WhisperError`` (`dataLoss`) where it is missing, or of another shape than `shape`.
    func tensor(_ name: String, shape: [Int]) throws -> Tensor
    /// Some rows of it, along the first axis, for who does not want all in memory at once.
    func rows(_ name: String, shape: [Int], _ range: Range<Int>) throws -> Tensor
    /// Lets the system have the memory that reading took; what is wanted again is read again.
    func rest()
}

extension WeightSource {
    public func rows(_ name: String, shape: [Int], _ range: Range<Int>) throws -> Tensor {
        try tensor(name, shape: shape).rows(range)
    }

    public func rest() {}
}

/// A checkpoint that was opened: its sizes and its weights, and the vocabulary where one came along.
public struct Checkpoint: Sendable {
    public enum Format: String, Sendable {
        case huggingFace = "huggingface", openAI = "openai", ggml, cTranslate2 = "ctranslate2"
    }

    public let format: Format
    public let dimensions: ModelDimensions
    public let weights: any WeightSource
    /// Absent for an openai `.pt` that no tokenizer file lies beside.
    public let vocabulary: Vocabulary?
    /// What the files say about decoding; empty where they say nothing.
    public let generation: GenerationConfig

    public init(
        format: Format, dimensions: ModelDimensions, weights: any WeightSource,
        vocabulary: Vocabulary?, generation: GenerationConfig
    ) {
        self.format = format
        self.dimensions = dimensions
        self.weights = weights
        self.vocabulary = vocabulary
        self.generation = generation
    }
}
