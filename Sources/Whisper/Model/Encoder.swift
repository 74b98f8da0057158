import Kernels

/// From a log-mel spectrogram to the residual stream that the decoder attends to.
///
/// A pass goes through blocks of frames side by side: between two places where frames meet (a convolution, attention) a thread
/// takes a block all the way, so that what it computes stays in its cache. Where a hook has to see an activation whole, the one
/// block is all frames. A frame's numbers are the same to the bit either way.
struct Encoder: Sendable {
    let conv1: Convolution
    let conv2: Convolution
    let positionalEmbedding: Tensor  // [n_audio_ctx, state]
    let blocks: [ResidualBlock]
    let lnPost: Norm

    init(_ weights: any WeightSource, _ dims: ModelDimensions, _ precision: Precision) throws {
        let state = dims.nAudioState
        conv1 = try Convolution(
            weights, "encoder.conv1", inputs: dims.nMels, outputs: state, stride: 1, precision: precision)
        conv2 = try Convolution(
            weights, "encoder.conv2", inputs: state, outputs: state, stride: 2, precision: precision)
        positionalEmbedding = try weights.tensor("encoder.positional_embedding", shape: [dims.nAudioCtx, state])
        blocks = try (0..<dims.nAudioLayer).map {
            try ResidualBlock(
                weights, "encoder.blocks.\($0)", width: state, heads: dims.nAudioHead, crossAttention: false,
                precision: precision)
        }
        lnPost = try Norm(weights, "encoder.ln_post", width: state)
    }

    /// mel [n_mels, 2 × frames] → [frames, state], with at most n_audio_ctx frames
    func callAsFunction(_ mel: Tensor, hooks: HookScope) throws -> Tensor {
        let frames = mel.shape[1] / 2
        let stream = EncoderStream(frames: frames, width: conv2.outputs)
        try frontEnd(mel, stream, hooks)
        for layer in blocks.indices {
            try hooks.betweenBlocks()
            try run(block: layer, stream, hooks)
        }
        return stream.output
    }

    /// Takes all frames from the door of block `layer` to that of the next.
    func run(block layer: Int, _ stream: EncoderStream, _ hooks: HookScope) throws {
        try hooks.forEachBlock(of: stream.frames, readIn: layer) { rows, hooks in
            var (x, q) = stream.take(rows)
            try blocks[layer](&x, queries: q, memory: memory(layer, stream), hooks: hooks.block(layer))
            try pass(x, rows, to: layer + 1, stream, hooks)
        }
    }

    /// The convolutions; what they make of a frame goes straight on into the first block.
    private func frontEnd(_ mel: Tensor, _ stream: EncoderStream, _ hooks: HookScope) throws {
        let frames = mel.shape[1] / 2
        let input = FrameBuffer(count: 2 * frames, width: conv1.inputs)
        let middle = FrameBuffer(count: 2 * frames, width: conv1.outputs)
        input.write(transposing: mel)
        try hooks.forEachBlock(of: 2 * frames) { rows, hooks in
            var x = gelu(conv1(input, rows: rows))
            try hooks(.conv1, &x)
            middle.write(x, first: rows.lowerBound)
        }
        try hooks.forEachBlock(of: frames) { rows, hooks in
            var x = gelu(conv2(middle, rows: rows))
            try hooks(.conv2, &x)
            x.add(positionalEmbedding.rows(rows))
            try hooks(.positional, &x)
            try pass(x, rows, to: 0, stream, hooks)
        }
    }

    /// Leaves some frames at the door of block `layer`: their queries made, their keys and values among the others'. Behind the last
    /// block that is the end.
    func pass(
        _ x: Tensor, _ rows: Range<Int>, to layer: Int, _ stream: EncoderStream, _ hooks: HookScope
    ) throws {
        var x = x
        guard layer < blocks.count else {
            let reader = hooks.reading(x, lnPost)
            x = lnPost(x)
            reader.receive(.lnPost, &x) { $0 }
            try hooks(.lnPost, &x)
            return stream.finish(x, rows)
        }
        let q = try blocks[layer].queries(
            of: &x, joining: memory(layer, stream), first: rows.lowerBound, hooks: hooks.block(layer))
        stream.keep(x, q, rows)
    }

    func memory(_ layer: Int, _ stream: EncoderStream) -> HeadMemory {
        stream.memory(layer, heads: blocks[layer].attn.heads, precision: blocks[layer].attn.precision)
    }
}
