// What follows from a Whisper's sizes: whether they make sense, and which tensors it has.

import Kernels

extension ModelDimensions {
    /// Checks that a file's sizes are those of some Whisper that fits a machine.
    ///
    /// The upper bounds are far above any released model (large-v3: 1280 wide, 32 layers, 51,866 tokens) and far below
    /// where sizes computed from them could overflow.
    /// - Throws: ``WhisperError``: `dataLoss` for an absurd size, `unsupported` for another architecture than openai's.
    func check(file: String) throws {
        try within("n_mels", nMels, 1024, file)
        try within("n_audio_ctx", nAudioCtx, 1 << 20, file)
        try within("n_audio_state", nAudioState, 1 << 16, file)
        try within("n_audio_head", nAudioHead, 1 << 16, file)
        try within("n_audio_layer", nAudioLayer, 1024, file)
        try within("n_vocab", nVocab, 1 << 24, file)
        try within("n_text_ctx", nTextCtx, 1 << 20, file)
        try within("n_text_state", nTextState, 1 << 16, file)
        try within("n_text_head", nTextHead, 1 << 16, file)
        try within("n_text_layer", nTextLayer, 1024, file)
        guard nAudioState % nAudioHead == 0, nTextState % nTextHead == 0 else {
            throw WhisperError(
                .dataLoss,
                "\(file): \(nAudioHead) and \(nTextHead) heads do not divide widths \(nAudioState) and \(nTextState)"
            )
        }
        guard nAudioState == nTextState, nAudioState % 2 == 0 else {
            throw WhisperError(
                .unsupported,
                "\(file): widths \(nAudioState) and \(nTextState); encoder and decoder need one, even, width"
            )
        }
    }

    private func within(_ name: String, _ value: Int, _ limit: Int, _ file: String) throws {
        guard (1...limit).contains(value) else {
            throw WhisperError(.dataLoss, "\(file): \(name) is \(value); expected 1 to \(limit)")
        }
    }

    /// Weights of a Whisper of these sizes, all of its tensors' elements; the output layer is the token embedding.
    public var parameterCount: Int { tensorShapes.values.reduce(0) { $0 + $1.reduce(1, *) } }

    /// Bytes that those take in memory at most: matrices in the bits of `precision`, everything else as float32 (convolutions too, which take less).
    public func weightBytes(in precision: Precision) -> Int {
        tensorShapes.reduce(0) { sum, tensor in
            let isMatrix = tensor.value.count == 2 && !tensor.key.hasSuffix("positional_embedding")
            return sum + tensor.value.reduce(1, *) * (isMatrix ? precision.elementBytes : 4)
        }
    }

    /// The tensors of a Whisper of these sizes, under openai/whisper's names, with their shapes.
    ///
    /// Keys have no bias, here as there; the unembedding is `decoder.token_embedding.weight` again.
    package var tensorShapes: [String: [Int]] {
        let width = nAudioState
        var shapes: [String: [Int]] = [
            "encoder.conv1.weight": [width, nMels, 3], "encoder.conv1.bias": [width],
            "encoder.conv2.weight": [width, width, 3], "encoder.conv2.bias": [width],
            "encoder.positional_embedding": [nAudioCtx, width],
            "encoder.ln_post.weight": [width], "encoder.ln_post.bias": [width],
            "decoder.token_embedding.weight": [nVocab, nTextState],
            "decoder.positional_embedding": [nTextCtx, nTextState],
            "decoder.ln.weight": [nTextState], "decoder.ln.bias": [nTextState],
        ]
        for layer in 0..<nAudioLayer {
            Self.addBlock("encoder.blocks.\(layer)", width: width, crossAttention: false, to: &shapes)
        }
        for layer in 0..<nTextLayer {
            Self.addBlock("decoder.blocks.\(layer)", width: nTextState, crossAttention: true, to: &shapes)
        }
        return shapes
    }

    private static func addBlock(
        _ block: String, width: Int, crossAttention: Bool, to shapes: inout [String: [Int]]
    ) {
        for attention in crossAttention ? ["attn", "cross_attn"] : ["attn"] {
            for projection in ["query", "key", "value", "out"] {
                shapes["\(block).\(attention).\(projection).weight"] = [width, width]
                if projection != "key" { shapes["\(block).\(attention).\(projection).bias"] = [width] }
            }
            shapes["\(block).\(attention)_ln.weight"] = [width]
            shapes["\(block).\(attention)_ln.bias"] = [width]
        }
        shapes["\(block).mlp.0.weight"] = [4 * width, width]
        shapes["\(block).mlp.0.bias"] = [4 * width]
        shapes["\(block).mlp.2.weight"] = [width, 4 * width]
        shapes["\(block).mlp.2.bias"] = [width]
        shapes["\(block).mlp_ln.weight"] = [width]
        shapes["\(block).mlp_ln.bias"] = [width]
    }
}
