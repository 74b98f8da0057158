/// A change to the activations at some hook points while the model runs.
///
/// Text form, one per `--intervene`: `HOOK[@frames a:b][@heads h,h] = zero | mean | scale x | add FILE x | set FILE | noise s`,
/// `encoder.blocks.*.attn window k`, `encoder.ln_post substitute-padding a:b`.
public struct Intervention: Sendable {
    /// Reads the text form.
    /// - Throws: ``WhisperError`` (`invalidArgument`) that shows the part that was not understood.
    public init(parsing text: String, dimensions: ModelDimensions) throws {}
}
