import Foundation
import Kernels
import Synchronization
import Whisper

/// A model that was found and opened; its weights, tokenizer and digest follow when they are asked for.
public final class LoadedModel: Sendable {
    /// What messages and metadata call it: `default`, the registered name, or the path.
    public let name: String
    public let checkpoint: Checkpoint
    /// In what numbers it computes.
    public let precision: Precision
    /// Whether transcripts keep the encoder's outputs for the next ones of the same sound.
    let reusesOutputs: Bool
    public var dimensions: ModelDimensions { checkpoint.dimensions }

    /// Of this opening of the files: what one gave is not taken for what another one would.
    let number: UInt64
    private static let numbers = Atomic<UInt64>(0)

    private let computeDigest: @Sendable () throws -> String
    private let digestCache = Mutex<String?>(nil)
    private let modelCache = Mutex<WhisperModel?>(nil)
    private let tokenizerCache = Mutex<Tokenizer?>(nil)
    private let hasWeights = Atomic(false)

    init(
        name: String, checkpoint: Checkpoint, precision: Precision = .exact, reusesOutputs: Bool = false,
        digest: @escaping @Sendable () throws -> String
    ) {
        self.name = name
        self.checkpoint = checkpoint
        self.precision = precision
        self.reusesOutputs = reusesOutputs
        number = Self.numbers.wrappingAdd(1, ordering: .relaxed).newValue
        weightBytes = UInt64(checkpoint.dimensions.weightBytes(in: precision))
        self.computeDigest = digest
    }

    /// SHA-256 of the weights as they lie on disk, in lower-case hexadecimal: of the `.pt`, the `.bin`, the
    /// `model.safetensors`, or of all shards one after another in the order of their names.
    public func digest() throws -> String {
        try digestCache.withLock { cache in
            if let digest = cache { return digest }
            let digest = try computeDigest()
            cache = digest
            return digest
        }
    }

    /// The digest where it was asked for before; never waits for one that is being computed.
    public var knownDigest: String? { digestCache.withLockIfAvailable { $0 } ?? nil }

    /// Lets go what ``keptBytes`` counts.
    func forgetOutputs() { modelCache.withLockIfAvailable { $0?.forgetOutputs() } }

    /// Whether digest and words are in memory already.
    var isDescribed: Bool {
        let hasWords = checkpoint.vocabulary == nil || tokenizerCache.withLockIfAvailable { $0 != nil } ?? false
        return hasWords && knownDigest != nil
    }

    /// Bytes that the weights take in memory at most.
    public let weightBytes: UInt64

    /// Bytes of outputs that it keeps; 0 where it is just being loaded.
    var keptBytes: Int { modelCache.withLockIfAvailable { $0?.keptBytes ?? 0 } ?? 0 }

    /// Whether the weights are in memory.
    public var isResident: Bool { hasWeights.load(ordering: .acquiring) }

    /// The model in memory; loaded once, on the thread that asks first.
    public func model() throws -> WhisperModel {
        try modelCache.withLock { cache in
            if let model = cache { return model }
            let model = try WhisperModel(checkpoint, precision: precision)
            cache = model
            hasWeights.store(true, ordering: .releasing)
            return model
        }
    }

    /// The model with its words, ready to write down what it hears.
    /// - Throws: as ``tokenizer()`` and ``model()``; ``WhisperError`` where the checkpoint names alignment heads that the
    ///   model does not have.
    public func transcriber() throws -> Transcriber {
        let tokenizer = try tokenizer()
        return try Transcriber(model(), tokenizer: tokenizer, generation: checkpoint.generation)
    }

    /// The model's words; parsed once.
    /// - Throws: ``ServiceError`` (`notFound`) for a checkpoint that no vocabulary was found for.
    public func tokenizer() throws -> Tokenizer {
        guard let vocabulary = checkpoint.vocabulary else {
            throw ServiceError(
                .notFound,
                "the model \(name) brings no vocabulary: put its .tiktoken or tokenizer file beside it, name one with "
                    + "--vocab, or register the model with 'auscult models add PATH --vocab FILE'")
        }
        return try tokenizerCache.withLock { cache in
            if let tokenizer = cache { return tokenizer }
            let tokenizer = try Tokenizer(vocabulary)
            cache = tokenizer
            return tokenizer
        }
    }
}
