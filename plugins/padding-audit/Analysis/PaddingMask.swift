/// Who may not attend to padding.
enum PaddingMask: String, CaseIterable, Codable {
    /// Frames: the encoder's self-attention.
    case encoder
    /// Tokens: cross-attention, which still reads an encoder that attended to it.
    case cross
    case both

    /// The interventions: the scores of the keys behind the sound are so low that the softmax makes nothing of them.
    /// - Parameters:
    ///   - valid: encoder frames that overlap sound.
    ///   - context: encoder frames of a window, more than `valid`.
    func interventions(valid: Int, context: Int) -> [String] {
        let mask = "@neurons \(valid)-\(context - 1) = clamp -1e30"
        let encoder = "encoder.blocks.*.attn.scores \(mask)", cross = "decoder.blocks.*.cross_attn.scores \(mask)"
        switch self {
        case .encoder: return [encoder]
        case .cross: return [cross]
        case .both: return [encoder, cross]
        }
    }
}
