import Kernels

extension ResidualBlock {
    /// The way back through a block: `g` is the gradient of the residual stream behind it, [positions, state], and becomes that of the stream
    /// before it.
    /// - Parameter audio: the gradient of the encoder's output so far, which the decoder's attention to it adds to; nil where nobody
    ///   wants it, and in the encoder.
    func backward(_ g: inout Tensor, audio: inout Tensor?, hooks: GradientScope) throws {
        try hooks(.block, &g)
        try mlpBackward(&g, hooks)
        if let crossAttn, let crossAttnLN {
            try hooks(.residCross, &g)
            let h = try crossAttn.backward(g, audio: &audio, hooks: hooks)
            try normalisedBackward(&g, h, crossAttnLN, .crossAttnLN, of: .residMid, hooks)
        }
        try hooks(.residMid, &g)
        let h = try attn.backward(g, isCausal: crossAttn != nil, hooks: hooks)
        try normalisedBackward(&g, h, attnLN, .attnLN, of: .residPre, hooks)
        try hooks(.residPre, &g)
    }

    private func mlpBackward(_ g: inout Tensor, _ hooks: GradientScope) throws {
        var h = g
        try hooks(.mlp, &h)
        h = mlp.down.backward(h)
        try hooks(.mlp1, &h)
        h = geluBackward(consume h, at: try hooks.kept(.mlp0))
        try hooks(.mlp0, &h)
        h = mlp.up.backward(h)
        try normalisedBackward(&g, h, mlpLN, .mlpLN, of: crossAttn == nil ? .residMid : .residCross, hooks)
    }

    /// Adds to the stream's gradient what comes through the normalised copy of it.
    private func normalisedBackward(
        _ g: inout Tensor, _ h: Tensor, _ norm: Norm, _ site: HookSite, of stream: HookSite, _ hooks: GradientScope
    ) throws {
        var h = h
        try hooks(site, &h)
        g.add(norm.backward(h, at: try hooks.kept(stream)))
    }
}
