import Kernels

extension Decoder {
    /// The way back of each of `runs`, from the logits to the token embeddings, as far as the tape's extent has it.
    /// - Returns: the gradients of the encoder's output, [frames, state], in the order of `runs`; of no meaning where the way ends
    ///   in the decoder.
    func backward(_ runs: [GradientRun], through hooks: HookRun, _ tape: GradientTape) throws -> [Tensor] {
        guard let tokens = tape.tokens, let audio = tape.audio else {
            throw WhisperError(.failedPrecondition, "the objective is read in the decoder, which has read no tokens")
        }
        let state = positionalEmbedding.shape[1]
        var gradients = runs.map { _ in Tensor(shape: [tokens.count, state]) }
        var audios = runs.map { _ in tape.extent.endsInEncoder ? Tensor(shape: audio.shape) : nil }
        let scopes = runs.map { GradientScope(run: $0, stack: .decoder, tape: tape) }
        if tape.extent.decoderBlocks.upperBound == blocks.count {
            for (i, scope) in scopes.enumerated() {
                try runs[i].through { try unembeddingBackward(&gradients[i], scope) }
            }
        }
        for layer in tape.extent.decoderBlocks.reversed() where !runs.allSatisfy(\.isDone) {
            let inside = try tapeOfBlock(layer, through: hooks, tape, audio)
            for (i, run) in runs.enumerated() {
                let scope = GradientScope(run: run, stack: .decoder, layer: layer, tape: inside)
                try run.through { try blocks[layer].backward(&gradients[i], audio: &audios[i], hooks: scope) }
            }
        }
        if tape.extent.decoderBlocks.lowerBound == 0 {
            for (i, scope) in scopes.enumerated() {
                try runs[i].through {
                    try scope(.positional, &gradients[i])
                    try scope(.tokenEmbedding, &gradients[i])
                }
            }
        }
        return audios.map { $0 ?? Tensor(shape: audio.shape) }
    }

    /// From the logits, [tokens, n_vocab], to the residual stream behind the last block.
    private func unembeddingBackward(_ g: inout Tensor, _ hooks: GradientScope) throws {
        var logits = Tensor(shape: [g.shape[0], tokenEmbedding.columns])
        try hooks(.logits, &logits)
        if hooks.run.isLive { g = tokenEmbedding.unembeddingBackward(logits) }
        try hooks(.ln, &g)
        g = ln.backward(g, at: try hooks.tape.input(of: blocks.count, .decoder))
    }

    /// The inside of block `layer`, kept or computed again from its input.
    private func tapeOfBlock(
        _ layer: Int, through hooks: HookRun, _ tape: GradientTape, _ audio: Tensor
    ) throws -> GradientTape {
        guard let inside = tape.forInside(.decoder, layer) else { return tape }
        let again = try hooks.again(keeping: inside)
        var x = try tape.input(of: layer, .decoder)
        var memory = BlockMemory(
            tokens: SequenceMemory(sequences: 1, limit: positionalEmbedding.shape[0], state: x.shape[1]))
        _ = try again.pass(.decoder) {
            let scope = HookScope(again, .decoder, tokens: x.shape[0])
            try blocks[layer](&x, memory: &memory, audio: audio, hooks: scope.block(layer))
        }
        return inside
    }
}
