/// A checkpoint's settings for decoding (`generation_config.json`); every field may be absent.
public struct GenerationConfig: Sendable, Equatable {
    /// Cross-attention heads whose attention follows the audio, for word timestamps: (layer, head).
    public var alignmentHeads: [AlignmentHead]?
    /// Tokens never to be sampled.
    public var suppressTokens: [Int]?
    /// Tokens not to be sampled first.
    public var beginSuppressTokens: [Int]?
    /// The latest first timestamp, in timestamp tokens (0.02 s).
    public var maxInitialTimestampIndex: Int?
    /// What the files say that was not used, since it does not fit the model: sentences for people.
    public var ignored: [String] = []

    public struct AlignmentHead: Sendable, Hashable {
        public var layer: Int
        public var head: Int
        public init(layer: Int, head: Int) {
            self.layer = layer
            self.head = head
        }
    }

    public init(
        alignmentHeads: [AlignmentHead]? = nil, suppressTokens: [Int]? = nil,
        beginSuppressTokens: [Int]? = nil, maxInitialTimestampIndex: Int? = nil
    ) {
        self.alignmentHeads = alignmentHeads
        self.suppressTokens = suppressTokens
        self.beginSuppressTokens = beginSuppressTokens
        self.maxInitialTimestampIndex = maxInitialTimestampIndex
    }
}
