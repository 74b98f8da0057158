/// A place in the model whose activations can be captured and changed.
///
/// Names are openai/whisper's module paths, with TransformerLens' words where a module has no path:
/// `encoder.blocks.2.mlp.1` (the neurons, after GELU), `decoder.blocks.0.cross_attn.pattern`, and the bare
/// `encoder.blocks.2` for the residual stream after the block.
public struct HookPoint: Hashable, Sendable, CustomStringConvertible {
    public enum Stack: String, Sendable { case encoder, decoder }

    public let stack: Stack
    /// The block's number; nil before and after the blocks.
    public let layer: Int?
    let site: HookSite

    init(_ stack: Stack, layer: Int? = nil, _ site: HookSite) {
        self.stack = stack
        self.layer = layer
        self.site = site
    }

    /// The canonical name.
    public var name: String {
        let block = layer.map { ".blocks.\($0)" } ?? ""
        return stack.rawValue + block + (site == .block ? "" : "." + site.rawValue)
    }

    public var description: String { name }

    /// Whether it lies in the encoder, so that it is known without any token.
    public var isEncoder: Bool { stack == .encoder }

    /// Every hook point of a model of these sizes, in the order in which a forward pass meets them.
    public static func all(in dimensions: ModelDimensions) -> [HookPoint] {
        stack(
            .encoder, before: HookSite.beforeEncoder, block: HookSite.encoderBlock, after: HookSite.afterEncoder,
            layers: dimensions.nAudioLayer)
            + stack(
                .decoder, before: HookSite.beforeDecoder, block: HookSite.decoderBlock, after: HookSite.afterDecoder,
                layers: dimensions.nTextLayer)
    }

    private static func stack(
        _ stack: Stack, before: [HookSite], block: [HookSite], after: [HookSite], layers: Int
    ) -> [HookPoint] {
        before.map { HookPoint(stack, $0) }
            + (0..<layers).flatMap { layer in block.map { HookPoint(stack, layer: layer, $0) } }
            + after.map { HookPoint(stack, $0) }
    }
}

// MARK: - Shapes

extension HookPoint {
    /// What one step along the positions of this point is.
    public enum Position: String, Sendable {
        /// 10 ms, a column of the log-mel.
        case melFrame = "mel_frame"
        /// 20 ms, a row of the encoder.
        case frame
        case token

        /// Positions per second; nil for tokens, whose time is not given.
        public var perSecond: Double? {
            switch self {
            case .melFrame: 100
            case .frame: 50
            case .token: nil
            }
        }
    }

    public var position: Position {
        switch (stack, site) {
        case (.encoder, .conv1): .melFrame
        case (.encoder, _), (.decoder, .crossAttnK), (.decoder, .crossAttnV): .frame
        case (.decoder, _): .token
        }
    }

    /// What each axis of an activation at this point is, outermost first.
    public var axes: [String] {
        switch site.layout {
        case .perHead: [position.rawValue, "head", "head_dim"]
        case .headsFirst: ["head", position.rawValue, attendsToTokens ? "key_token" : "key_frame"]
        case .rows: [position.rawValue, rowAxis]
        }
    }

    /// The extents along ``axes`` in a model of these sizes, for a decoder that reads `tokens` tokens at once.
    public func shape(in dimensions: ModelDimensions, tokens: Int) -> [Int] {
        let positions =
            switch position {
            case .melFrame: dimensions.melFrames
            case .frame: dimensions.nAudioCtx
            case .token: tokens
            }
        let state = isEncoder ? dimensions.nAudioState : dimensions.nTextState
        let heads = isEncoder ? dimensions.nAudioHead : dimensions.nTextHead
        switch site.layout {
        case .perHead: return [positions, heads, state / max(heads, 1)]
        case .headsFirst: return [heads, positions, attendsToTokens ? tokens : dimensions.nAudioCtx]
        case .rows:
            switch rowAxis {
            case "neuron": return [positions, 4 * state]
            case "vocab": return [positions, dimensions.nVocab]
            default: return [positions, state]
            }
        }
    }

    private var attendsToTokens: Bool { !isEncoder && (site == .attnScores || site == .attnPattern) }

    private var rowAxis: String {
        switch site {
        case .mlp0, .mlp1: "neuron"
        case .logits: "vocab"
        default: "state"
        }
    }
}

extension HookPoint {
    /// Values of one position; nil where they depend on how many keys there are.
    func rowSize(in dimensions: ModelDimensions) -> Int? {
        let state = isEncoder ? dimensions.nAudioState : dimensions.nTextState
        switch site {
        case .attnScores, .attnPattern, .crossAttnScores, .crossAttnPattern: return nil
        case .mlp0, .mlp1: return 4 * state
        case .logits: return dimensions.nVocab
        default: return state
        }
    }
}
