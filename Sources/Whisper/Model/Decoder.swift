import Kernels

/// From tokens, and the encoder's output, to logits over the next token.
struct Decoder: Sendable {
    let tokenEmbedding: PackedMatrix  // [n_vocab, state]
    let positionalEmbedding: Tensor  // [n_text_ctx, state]
    let blocks: [ResidualBlock]
    let ln: Norm

    init(_ weights: any WeightSource, _ dims: ModelDimensions, _ precision: Precision) throws {
        let state = dims.nTextState
        let name = "decoder.token_embedding.weight"
        tokenEmbedding = try PackedMatrix(columns: dims.nVocab, depth: state, precision: precision) {
            try weights.rows(name, shape: [dims.nVocab, state], $0)
        }
        positionalEmbedding = try weights.tensor("decoder.positional_embedding", shape: [dims.nTextCtx, state])
        blocks = try (0..<dims.nTextLayer).map {
            try ResidualBlock(
                weights, "decoder.blocks.\($0)", width: state, heads: dims.nTextHead, crossAttention: true,
                precision: precision)
        }
        ln = try Norm(weights, "decoder.ln", width: state)
    }

    /// Tokens of every sequence, one list after another, [sequences × tokens] → logits [rows, n_vocab], where rows
    /// are all of them or, with `lastOnly`, the last of each sequence. The cache has then seen the tokens.
    func callAsFunction(_ tokens: [Int], cache: DecoderCache, lastOnly: Bool, hooks: HookScope) throws -> Tensor {
        let count = tokens.count / cache.sequences
        var x = tokenEmbedding.gathered(tokens)
        try hooks(.tokenEmbedding, &x)
        x.add(positionalEmbedding.gathered(tokens.indices.map { cache.length + $0 % count }))
        try hooks(.positional, &x)
        for (layer, block) in blocks.enumerated() {
            try block(&x, memory: &cache.blocks[layer], audio: cache.audio, hooks: hooks.block(layer))
        }
        let reader = hooks.reading(x, ln)
        x = ln(x)
        reader.receive(.ln, &x) { $0 }
        try hooks(.ln, &x)
        if lastOnly { x = x.gathered((1...cache.sequences).map { $0 * count - 1 }) }
        // The unembedding is the token embedding itself.
        var logits = product(x, tokenEmbedding, bias: nil)
        try (lastOnly ? hooks.atLastPosition() : hooks)(.logits, &logits)
        return logits
    }
}

extension PackedMatrix {
    /// The rows of the weights that these tokens have, `[indices, depth]`.
    func gathered(_ indices: [Int]) -> Tensor {
        var out = Tensor(uninitialized: [indices.count, depth])
        out.withUnsafeMutableBufferPointer { out in
            for (row, index) in indices.enumerated() {
                copyWeights(ofColumn: index, into: out.baseAddress! + row * depth)
            }
        }
        return out
    }
}
