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
    var precision: Precision { query.weight.precision }

    init(
        _ weights: any WeightSource, _ name: String, width: Int, heads: Int, sites: AttentionSites, precision: Precision
    ) throws {
        func linear(_ part: String, bias: Bool = true) throws -> Linear {
            try Linear(
                weights, "\(name).\(part)", inputs: width, outputs: width, bias: bias, precision: precision)
        }
        query = try linear("query")
        key = try linear("key", bias: false)
        value = try linear("value")
        out = try linear("out")
        self.heads = heads
        self.sites = sites
    }

    /// The encoder's attention, first half: queries of some frames, whose keys and values join those of the others.
    /// - Parameters:
    ///   - x: the frames, normalised; the first is frame `first`.
    ///   - memory: keys and values of all frames.
    func queries(of x: Tensor, joining memory: HeadMemory, first: Int, hooks: HookScope) throws -> Tensor {
        let q = try queries(x, hooks), (k, v) = try keysAndValues(x, hooks)
        memory.write(k, v, first: first)
        return q
    }

    /// The second half, when the keys and values of all frames are there.
    func attend(_ q: Tensor, to memory: HeadMemory, hooks: HookScope) throws -> Tensor {
        let products = HeadProducts(q: q, memory: memory)
        if let window = hooks.window(sites.scores, sites.pattern, heads: heads) {
            return try projected(products.attended(within: window.reach, first: window.first), hooks)
        }
        guard hooks.laysOut(sites.scores) || hooks.laysOut(sites.pattern) else {
            return try projected(try recorded(products, hooks), hooks)
        }
        var scores = products.scores()
        try hooks(sites.scores, &scores)
        products.softmax(&scores)
        try hooks(sites.pattern, &scores)
        return try projected(products.weighted(scores), hooks)
    }

    /// A tile of scores at a time; where they are captured, a tile goes there from the cache.
    private func recorded(_ products: HeadProducts, _ hooks: HookScope) throws -> Tensor {
        let scores = hooks.recorder(sites.scores, heads: heads, keys: products.keys)
        let pattern = hooks.recorder(sites.pattern, heads: heads, keys: products.keys)
        let z = products.attended(scores: scores, pattern: pattern)
        if scores != nil { try hooks.recorded(sites.scores, rows: z.shape[0]) }
        if pattern != nil { try hooks.recorded(sites.pattern, rows: z.shape[0]) }
        return z
    }

    /// Attention of new tokens to themselves and to what their sequences hold in `memory`: the decoder's.
    func callAsFunction(_ x: Tensor, memory: inout SequenceMemory, hooks: HookScope) throws -> Tensor {
        let q = try queries(x, hooks), (k, v) = try keysAndValues(x, hooks)
        memory.append(keys: k, values: v)
        let products = TokenProducts(q: q, memory: memory)
        guard hooks.wants(sites.scores) || hooks.wants(sites.pattern) else {
            return try projected(products.attended(), hooks)
        }
        var scores = products.scores()
        try hooks(sites.scores, &scores)
        products.softmax(&scores)
        try hooks(sites.pattern, &scores)
        return try projected(products.weighted(scores), hooks)
    }

    /// Attention to the audio, whose keys and values are computed at the first call and kept.
    func callAsFunction(_ x: Tensor, audio: Tensor, kept: inout HeadMemory?, hooks: HookScope) throws -> Tensor {
        let q = try queries(x, hooks)
        if kept == nil {
            let (k, v) = try keysAndValues(audio, hooks)
            let memory = HeadMemory(
                positions: audio.shape[0], heads: heads, width: k.shape[2], precision: precision)
            memory.write(k, v, first: 0)
            kept = memory
        }
        return try attend(q, to: kept!, hooks: hooks)
    }

    private func queries(_ x: Tensor, _ hooks: HookScope) throws -> Tensor {
        var q = perHead(query(x))
        hooks.receive(sites.q, &q) { perHead(query($0)) }
        try hooks(sites.q, &q)
        return q
    }

    private func keysAndValues(_ x: Tensor, _ hooks: HookScope) throws -> (Tensor, Tensor) {
        var k = perHead(key(x))
        hooks.receive(sites.k, &k) { perHead(key($0)) }
        try hooks(sites.k, &k)
        var v = perHead(value(x))
        hooks.receive(sites.v, &v) { perHead(value($0)) }
        try hooks(sites.v, &v)
        return (k, v)
    }

    private func projected(_ z: Tensor, _ hooks: HookScope) throws -> Tensor {
        var z = z
        try hooks(sites.z, &z)
        func flat(_ z: Tensor) -> Tensor { z.reshaped([z.shape[0], z.shape[1] * z.shape[2]]) }
        try hooks.send(sites.z, z) { product(flat($0), out.weight, bias: nil) }
        var y = out(flat(z))
        try hooks(sites.out, &y)
        try hooks.send(sites.out, y) { $0 }
        return y
    }

    private func perHead(_ x: Tensor) -> Tensor { x.reshaped([x.shape[0], heads, x.shape[1] / heads]) }
}

extension HeadMemory {
    /// Writes rows of keys and values, `[rows, heads, head_dim]` each, from row `first` on.
    func write(_ k: Tensor, _ v: Tensor, first: Int) {
        k.withUnsafeBufferPointer { keys in
            v.withUnsafeBufferPointer { values in
                guard let keys = keys.baseAddress, let values = values.baseAddress else { return }
                write(keys: keys, values: values, first: first, count: k.shape[0])
            }
        }
    }
}
