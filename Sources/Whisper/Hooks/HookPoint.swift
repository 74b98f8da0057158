/// A place in the model whose activations can be captured and changed, by its canonical name.
///
/// Names are openai/whisper's module paths, with TransformerLens' words where a module has no path:
/// `encoder.blocks.2.mlp.1`, `decoder.blocks.0.cross_attn.pattern`, and the bare `encoder.blocks.2`
/// for the residual stream after the block.
public struct HookPoint: Hashable, Sendable, CustomStringConvertible {
    public let name: String
    public var description: String { name }

    init(name: String) { self.name = name }

    /// Every hook point of a model of these sizes, in the order in which a forward pass meets them.
    public static func all(in dimensions: ModelDimensions) -> [HookPoint] { [] }

    /// The hook points that `pattern` names: a canonical name, a glob (`encoder.blocks.*.attn.pattern`),
    /// or an alias of TransformerLens or Hugging Face. In the order of the forward pass.
    /// - Throws: ``WhisperError`` (`invalidArgument`) with the nearest names where nothing matches.
    public static func matching(_ pattern: String, in dimensions: ModelDimensions) throws -> [HookPoint] { [] }

    /// Whether the point lies in the encoder (so that it is known without any token).
    public var isEncoder: Bool { name.hasPrefix("encoder.") }
}
