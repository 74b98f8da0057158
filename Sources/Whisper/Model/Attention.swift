import Kernels

/// Multi-head attention, of a stream to itself or of the decoder to the audio.
///
/// Shapes: `[positions, state]` in and out; per head `[positions, heads, head_dim]` for q, k, v and z (the same
/// memory as `[positions, state]`), and `[heads, positions, keys]` for scores and pattern.
struct Attention: Sendable {
    let query: Linear
    let key: Linear  // without bias, as Whisper's
    let value: Linear
    let out: Linear
    let heads: Int
    let sites: AttentionSites

    init(_ weights: any WeightSource, _ name: String, width: Int, heads: Int, sites: AttentionSites) throws {
        query = try Linear(weights, "\(name).query", inputs: width, outputs: width)
        key = try Linear(weights, "\(name).key", inputs: width, outputs: width, bias: false)
        value = try Linear(weights, "\(name).value", inputs: width, outputs: width)
        out = try Linear(weights, "\(name).out", inputs: width, outputs: width)
        self.heads = heads
        self.sites = sites
    }

    /// Attention of a stream to itself, all of it: the encoder's.
    /// - Parameter frames: how many frames' attention is made, the first ones; all are attended to.
    func callAsFunction(_ x: Tensor, frames: Int, hooks: HookScope) throws -> Tensor {
        let q = try queries(frames < x.shape[0] ? x.rows(0..<frames) : x, hooks), (k, v) = try keysAndValues(x, hooks)
        return try attend(q, to: [KeysAndValues(keys: k, values: v, count: x.shape[0])], causalFrom: nil, hooks)
    }

    /// Attention of new tokens to themselves and to what their sequences hold in `memory`: the decoder's.
    func callAsFunction(_ x: Tensor, memory: inout SequenceMemory, hooks: HookScope) throws -> Tensor {
        let q = try queries(x, hooks), (k, v) = try keysAndValues(x, hooks)
        let past = memory.length
        memory.append(keys: k, values: v)
        return try attend(q, to: memory.views, causalFrom: past, hooks)
    }

    /// Attention to the audio, whose keys and values are computed at the first call and kept.
    func callAsFunction(_ x: Tensor, audio: Tensor, kept: inout KeysAndValues?, hooks: HookScope) throws -> Tensor {
        let q = try queries(x, hooks)
        if kept == nil {
            let (k, v) = try keysAndValues(audio, hooks)
            kept = KeysAndValues(keys: k, values: v, count: audio.shape[0])
        }
        return try attend(q, to: [kept!], causalFrom: nil, hooks)
    }

    private func queries(_ x: Tensor, _ hooks: HookScope) throws -> Tensor {
        var q = perHead(query(x))
        try hooks(sites.q, &q)
        return q
    }

    private func keysAndValues(_ x: Tensor, _ hooks: HookScope) throws -> (Tensor, Tensor) {
        var k = perHead(key(x))
        try hooks(sites.k, &k)
        var v = perHead(value(x))
        try hooks(sites.v, &v)
        return (k, v)
    }

    private func attend(
        _ q: Tensor, to memories: [KeysAndValues], causalFrom past: Int?, _ hooks: HookScope
    ) throws -> Tensor {
        let products = HeadProducts(q: q, memories: memories, causalFrom: past)
        var z: Tensor
        if hooks.wants(sites.scores) || hooks.wants(sites.pattern) {
            var scores = products.scores()
            try hooks(sites.scores, &scores)
            products.softmax(&scores)
            try hooks(sites.pattern, &scores)
            z = products.weighted(scores)
        } else {
            z = products.attended()
        }
        try hooks(sites.z, &z)
        var y = out(z.reshaped([z.shape[0], z.shape[1] * z.shape[2]]))
        try hooks(sites.out, &y)
        return y
    }

    private func perHead(_ x: Tensor) -> Tensor { x.reshaped([x.shape[0], heads, x.shape[1] / heads]) }
}

/// Keys and values that queries may attend to: `count` positions of `[…, heads, head_dim]`.
struct KeysAndValues: Sendable {
    var keys: Tensor
    var values: Tensor
    /// Positions in use; the tensors may hold room for more.
    var count: Int
}
