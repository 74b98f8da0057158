import Kernels

extension Encoder {
    /// The way back of each of `runs`, from the encoder's output to the log-mel, as far as the tape's extent has it.
    /// - Parameters:
    ///   - gradients: of the encoder's output, [frames, state], as far as the decoder gave one; in the order of `runs`.
    ///   - hooks: the pass that is gone back through.
    func backward(_ runs: [GradientRun], _ gradients: [Tensor], through hooks: HookRun, _ tape: GradientTape) throws {
        var gradients = gradients
        let scopes = runs.map { GradientScope(run: $0, stack: .encoder, tape: tape) }
        if tape.extent.encoderBlocks.upperBound == blocks.count {
            for (i, scope) in scopes.enumerated() {
                try runs[i].through {
                    try scope(.lnPost, &gradients[i])
                    gradients[i] = lnPost.backward(gradients[i], at: try tape.input(of: blocks.count, .encoder))
                }
            }
        }
        for layer in tape.extent.encoderBlocks.reversed() where !runs.allSatisfy(\.isDone) {
            let inside = try tapeOfBlock(layer, through: hooks, tape)
            for (i, run) in runs.enumerated() {
                var nothing: Tensor?
                let scope = GradientScope(run: run, stack: .encoder, layer: layer, tape: inside)
                try run.through { try blocks[layer].backward(&gradients[i], audio: &nothing, hooks: scope) }
            }
        }
        guard tape.extent.encoderBlocks.lowerBound == 0 else { return }
        for (i, scope) in scopes.enumerated() {
            try runs[i].through {
                try scope(.positional, &gradients[i])
                guard tape.extent.includesConvolutions else { return }
                try runs[i].finish(try frontEndBackward(gradients[i], scope))
            }
        }
    }

    /// The inside of block `layer`, kept or computed again from its input.
    private func tapeOfBlock(_ layer: Int, through hooks: HookRun, _ tape: GradientTape) throws -> GradientTape {
        guard let inside = tape.forInside(.encoder, layer) else { return tape }
        let again = try hooks.again(keeping: inside), x = try tape.input(of: layer, .encoder)
        let stream = EncoderStream(frames: x.shape[0], width: x.shape[1])
        _ = try again.pass(.encoder) {
            let scope = HookScope(again, .encoder)
            try scope.forEachBlock(of: x.shape[0]) { rows, hooks in
                try pass(x.rows(rows), rows, to: layer, stream, hooks)
            }
            try run(block: layer, stream, scope)
        }
        return inside
    }

    /// From behind the convolutions to the log-mel, [n_mels, 2 × frames].
    private func frontEndBackward(_ g: Tensor, _ hooks: GradientScope) throws -> Tensor {
        var g = g
        try hooks(.conv2, &g)
        let frames = g.shape[0]
        guard let mel = hooks.tape.mel else {
            throw WhisperError(.failedPrecondition, "the gradient needs the log-mel, which no pass has read")
        }
        // What went into the two GELUs is computed again.
        let middle = FrameBuffer(count: 2 * frames, width: conv1.outputs)
        middle.write(try hooks.kept(.conv1), first: 0)
        g = geluBackward(consume g, at: conv2(middle, rows: 0..<frames))
        g = conv2.backward(g, frames: 2 * frames)
        try hooks(.conv1, &g)
        let input = FrameBuffer(count: 2 * frames, width: conv1.inputs)
        input.write(transposing: mel)
        g = geluBackward(consume g, at: conv1(input, rows: 0..<2 * frames))
        return conv1.backward(g, frames: 2 * frames).transposed()
    }
}

extension Tensor {
    /// [rows, columns] → [columns, rows]
    fileprivate func transposed() -> Tensor {
        let rows = shape[0], columns = shape[1]
        var out = Tensor(uninitialized: [columns, rows])
        withUnsafeBufferPointer { x in
            out.withUnsafeMutableBufferPointer { out in
                for row in 0..<rows {
                    for column in 0..<columns { out[column * rows + row] = x[row * columns + column] }
                }
            }
        }
        return out
    }
}
