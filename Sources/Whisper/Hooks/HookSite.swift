/// A place within a stack or within one of its blocks; the raw value is the last part of a hook point's name.
enum HookSite: String, Hashable, Sendable {
    // Before the blocks.
    case conv1, conv2, positional
    case tokenEmbedding = "token_embedding"
    // In a block, in the order of the forward pass.
    case residPre = "resid_pre"
    case attnLN = "attn_ln"
    case attnQ = "attn.q"
    case attnK = "attn.k"
    case attnV = "attn.v"
    case attnScores = "attn.scores"
    case attnPattern = "attn.pattern"
    case attnZ = "attn.z"
    case attn
    case residMid = "resid_mid"
    case crossAttnLN = "cross_attn_ln"
    case crossAttnQ = "cross_attn.q"
    case crossAttnK = "cross_attn.k"
    case crossAttnV = "cross_attn.v"
    case crossAttnScores = "cross_attn.scores"
    case crossAttnPattern = "cross_attn.pattern"
    case crossAttnZ = "cross_attn.z"
    case crossAttn = "cross_attn"
    case residCross = "resid_cross"
    case mlpLN = "mlp_ln"
    case mlp0 = "mlp.0"
    case mlp1 = "mlp.1"
    case mlp
    /// The residual stream after the block, whose name is the block's own.
    case block = ""
    // After the blocks.
    case lnPost = "ln_post"
    case ln, logits

    static let beforeEncoder: [HookSite] = [.conv1, .conv2, .positional]
    static let beforeDecoder: [HookSite] = [.tokenEmbedding, .positional]
    static let encoderBlock: [HookSite] =
        [.residPre, .attnLN, .attnQ, .attnK, .attnV, .attnScores, .attnPattern, .attnZ, .attn, .residMid]
        + [.mlpLN, .mlp0, .mlp1, .mlp, .block]
    static let decoderBlock: [HookSite] =
        [.residPre, .attnLN, .attnQ, .attnK, .attnV, .attnScores, .attnPattern, .attnZ, .attn, .residMid]
        + [.crossAttnLN, .crossAttnQ, .crossAttnK, .crossAttnV, .crossAttnScores, .crossAttnPattern, .crossAttnZ]
        + [.crossAttn, .residCross, .mlpLN, .mlp0, .mlp1, .mlp, .block]
    static let afterEncoder: [HookSite] = [.lnPost]
    static let afterDecoder: [HookSite] = [.ln, .logits]

    /// What the values of one position are laid out as.
    enum Layout {
        /// `[positions, width]`
        case rows
        /// `[positions, heads, head_dim]`
        case perHead
        /// `[heads, positions, keys]`
        case headsFirst
    }

    var layout: Layout {
        switch self {
        case .attnQ, .attnK, .attnV, .attnZ, .crossAttnQ, .crossAttnK, .crossAttnV, .crossAttnZ: .perHead
        case .attnScores, .attnPattern, .crossAttnScores, .crossAttnPattern: .headsFirst
        default: .rows
        }
    }
}

/// The hook points of one attention, by what they hold.
struct AttentionSites: Sendable {
    let q, k, v, scores, pattern, z, out: HookSite

    static let own = AttentionSites(
        q: .attnQ, k: .attnK, v: .attnV, scores: .attnScores, pattern: .attnPattern, z: .attnZ, out: .attn)
    static let cross = AttentionSites(
        q: .crossAttnQ, k: .crossAttnK, v: .crossAttnV, scores: .crossAttnScores, pattern: .crossAttnPattern,
        z: .crossAttnZ, out: .crossAttn)
}
