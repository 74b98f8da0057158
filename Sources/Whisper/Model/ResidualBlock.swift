import Kernels

/// One block of the encoder or the decoder: attention, in the decoder attention to the audio, and an MLP, each
/// reading a normalised copy of the residual stream and adding to it.
struct ResidualBlock: Sendable {
    let attn: Attention
    let attnLN: Norm
    let crossAttn: Attention?
    let crossAttnLN: Norm?
    let mlp: MLP
    let mlpLN: Norm

    init(
        _ weights: any WeightSource, _ name: String, width: Int, heads: Int, crossAttention: Bool, precision: Precision
    ) throws {
        func attention(_ part: String, _ sites: AttentionSites) throws -> Attention {
            try Attention(
                weights, "\(name).\(part)", width: width, heads: heads, sites: sites, precision: precision)
        }
        attn = try attention("attn", .own)
        attnLN = try Norm(weights, "\(name).attn_ln", width: width)
        crossAttn = crossAttention ? try attention("cross_attn", .cross) : nil
        crossAttnLN = crossAttention ? try Norm(weights, "\(name).cross_attn_ln", width: width) : nil
        mlp = try MLP(weights, "\(name).mlp", width: width, precision: precision)
        mlpLN = try Norm(weights, "\(name).mlp_ln", width: width)
    }

    /// The encoder's block, up to where frames meet: the queries of some frames, whose keys and values join `memory`.
    /// x is their residual stream, [frames, state]; the first is frame `first`.
    func queries(of x: inout Tensor, joining memory: HeadMemory, first: Int, hooks: HookScope) throws -> Tensor {
        try hooks(.residPre, &x)
        let h = try normalised(x, attnLN, .attnLN, hooks)
        return try attn.queries(of: h, joining: memory, first: first, hooks: hooks.reading(x, attnLN))
    }

    /// The rest of it, when the keys and values of all frames are in `memory`.
    func callAsFunction(_ x: inout Tensor, queries q: Tensor, memory: HeadMemory, hooks: HookScope) throws {
        x.add(try attn.attend(q, to: memory, hooks: hooks))
        try hooks(.residMid, &x)
        try addMLP(&x, hooks)
    }

    /// The decoder's block; x is the residual stream of the new tokens, [sequences × tokens, state].
    func callAsFunction(_ x: inout Tensor, memory: inout BlockMemory, audio: Tensor, hooks: HookScope) throws {
        try hooks(.residPre, &x)
        let h = try normalised(x, attnLN, .attnLN, hooks)
        x.add(try attn(h, memory: &memory.tokens, hooks: hooks.reading(x, attnLN)))
        try hooks(.residMid, &x)
        if let crossAttn, let crossAttnLN {
            let h = try normalised(x, crossAttnLN, .crossAttnLN, hooks)
            x.add(try crossAttn(h, audio: audio, kept: &memory.audio, hooks: hooks.reading(x, crossAttnLN)))
            try hooks(.residCross, &x)
        }
        try addMLP(&x, hooks)
    }

    private func addMLP(_ x: inout Tensor, _ hooks: HookScope) throws {
        var h = mlp.up(try normalised(x, mlpLN, .mlpLN, hooks))
        hooks.reading(x, mlpLN).receive(.mlp0, &h) { mlp.up($0) }
        try hooks(.mlp0, &h)
        h = gelu(consume h)
        try hooks(.mlp1, &h)
        try hooks.send(.mlp1, h) { product($0, mlp.down.weight, bias: nil) }
        h = mlp.down(h)
        try hooks(.mlp, &h)
        try hooks.send(.mlp, h) { $0 }
        x.add(h)
        try hooks(.block, &x)
    }

    private func normalised(_ x: Tensor, _ norm: Norm, _ site: HookSite, _ hooks: HookScope) throws -> Tensor {
        var h = norm(x)
        try hooks(site, &h)
        return h
    }
}
