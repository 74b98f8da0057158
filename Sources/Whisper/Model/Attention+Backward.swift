import Kernels

extension Attention {
    /// The way back through attention of a stream to itself: from what it added to the stream to what it read, [positions, state].
    func backward(_ g: Tensor, isCausal: Bool, hooks: GradientScope) throws -> Tensor {
        let (dq, dk, dv) = try backwardToHeads(g, isCausal, hooks)
        var h = query.backward(dq)
        key.backward(dk, addingTo: &h)
        value.backward(dv, addingTo: &h)
        return h
    }

    /// The way back through the decoder's attention to the audio; what its keys and values read of the audio is added to `audio`,
    /// [frames, state], where that is wanted.
    func backward(_ g: Tensor, audio: inout Tensor?, hooks: GradientScope) throws -> Tensor {
        let (dq, dk, dv) = try backwardToHeads(g, false, hooks)
        if var sum = audio {
            audio = nil
            key.backward(dk, addingTo: &sum)
            value.backward(dv, addingTo: &sum)
            audio = sum
        }
        return query.backward(dq)
    }

    /// The gradients of queries, keys and values, [positions, state] each.
    private func backwardToHeads(
        _ g: Tensor, _ isCausal: Bool, _ hooks: GradientScope
    ) throws -> (Tensor, Tensor, Tensor) {
        var g = g
        try hooks(sites.out, &g)
        let q = try hooks.kept(sites.q)
        var dz = out.backward(g).reshaped(q.shape)
        try hooks(sites.z, &dz)
        let products = HeadProductsBackward(
            q: q, k: try hooks.kept(sites.k), v: try hooks.kept(sites.v), dz: dz, isCausal: isCausal)
        if hooks.laysOut(sites.scores) || hooks.laysOut(sites.pattern) {
            try laidOut(products, hooks)
        } else {
            let (queries, keys) = (q.shape[0], products.keys)
            let pattern = hooks.recording(sites.pattern, heads: heads, queries: queries, keys: keys)
            let scores = hooks.recording(sites.scores, heads: heads, queries: queries, keys: keys)
            products.run(pattern: pattern?.rows, scores: scores?.rows)
            try hooks(sites.pattern, recorded: pattern)
            try hooks(sites.scores, recorded: scores)
        }
        var (dv, dk, dq) = (products.dv, products.dk, products.dq)
        try hooks(sites.v, &dv)
        try hooks(sites.k, &dk)
        try hooks(sites.q, &dq)
        func flat(_ x: Tensor) -> Tensor { x.reshaped([x.shape[0], x.shape[1] * x.shape[2]]) }
        return (flat(dq), flat(dk), flat(dv))
    }

    private func laidOut(_ products: HeadProductsBackward, _ hooks: GradientScope) throws {
        let before = products.pattern(ofScores: try hooks.keptIfAny(sites.scores))
        let after = try hooks.keptIfAny(sites.pattern) ?? before
        var g = products.patternGradient(after)
        try hooks(sites.pattern, &g)
        products.softmax(&g, at: before)
        try hooks(sites.scores, &g)
        products.finish(g)
    }
}
