import Kernels

/// From a log-mel spectrogram to the residual stream that the decoder listens to.
struct Encoder: Sendable {
    let conv1: Convolution
    let conv2: Convolution
    let positionalEmbedding: Tensor  // [n_audio_ctx, state]
    let blocks: [ResidualBlock]
    let lnPost: Norm

    init(_ weights: any WeightSource, _ dims: ModelDimensions) throws {
        let state = dims.nAudioState
        conv1 = try Convolution(weights, "encoder.conv1", inputs: dims.nMels, outputs: state, stride: 1)
        conv2 = try Convolution(weights, "encoder.conv2", inputs: state, outputs: state, stride: 2)
        positionalEmbedding = try weights.tensor("encoder.positional_embedding", shape: [dims.nAudioCtx, state])
        blocks = try (0..<dims.nAudioLayer).map {
            try ResidualBlock(
                weights, "encoder.blocks.\($0)", width: state, heads: dims.nAudioHead, crossAttention: false)
        }
        lnPost = try Norm(weights, "encoder.ln_post", width: state)
    }

    /// mel [n_mels, 2 × frames] → [frames, state], with at most n_audio_ctx frames
    func callAsFunction(_ mel: Tensor, hooks: HookScope) throws -> Tensor {
        var x = gelu(conv1(mel.transposed()))
        try hooks(.conv1, &x)
        x = gelu(conv2(x))
        try hooks(.conv2, &x)
        let frames = x.shape[0]
        x.add(frames == positionalEmbedding.shape[0] ? positionalEmbedding : positionalEmbedding.rows(0..<frames))
        try hooks(.positional, &x)
        for (layer, block) in blocks.enumerated() {
            try block(&x, hooks: hooks.block(layer))
        }
        x = lnPost(x)
        try hooks(.lnPost, &x)
        return x
    }
}

extension Tensor {
    /// [a, b] → [b, a]
    func transposed() -> Tensor {
        let rows = shape[0], columns = shape[1]
        var out = Tensor(uninitialized: [columns, rows])
        withUnsafeBufferPointer { source in
            out.withUnsafeMutableBufferPointer { out in
                for row in 0..<rows {
                    for column in 0..<columns { out[column * rows + row] = source[row * columns + column] }
                }
            }
        }
        return out
    }
}
