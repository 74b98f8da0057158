import Kernels

// What the model gives for another sound than that of a pass.

extension WhisperModel {
    /// The encoder's activations for the first so many log-mel frames of another sound.
    func activations(
        of source: ActivationSource, at points: Set<HookPoint>, frames: Int
    ) throws -> [HookPoint: Tensor] {
        func compute(_ mel: Tensor, _ points: Set<HookPoint>) throws -> [HookPoint: Tensor] {
            var found: [HookPoint: Tensor] = [:]
            let run = try HookRun(HookPlan(captures: points), dimensions: dimensions) { found[$0.hook] = $0.tensor }
            _ = try encode(mel, hooks: run)
            return found
        }
        switch source {
        case .padding:
            let padding = paddingMel(frames: frames), output = HookPoint(.encoder, .lnPost)
            guard points == [output] else { return try compute(padding, points) }
            return [output: try keptOutput(of: padding, for: HookRun(HookPlan(), dimensions: dimensions))]
        case .other(let input): return try input.activations(at: points, frames: frames, compute)
        }
    }

    /// Lets other sounds' decoders read the tokens as well, where interventions put in what they have there.
    func readBeside(_ tokens: [[Int]], _ cache: DecoderCache, lastOnly: Bool, hooks: HookRun) throws {
        for case (.other(let input), let points) in hooks.needsOfOthers(.decoder) {
            let beside = try cache.beside(input) {
                try input.output(frames: 2 * cache.audio.shape[0]) {
                    try encode($0, hooks: HookRun(HookPlan(), dimensions: dimensions))
                }
            }
            var found: [HookPoint: Tensor] = [:]
            // Keys and values of the audio are made once, by who reads first.
            let new = points.filter { $0.position == .token || cache.length == 0 }
            guard !new.isEmpty else { continue }
            let run = try HookRun(HookPlan(captures: new, stopsEarly: false), dimensions: dimensions) {
                found[$0.hook] = $0.tensor
            }
            run.takesSequences = true
            _ = try decode(tokens, cache: beside, lastOnly: lastOnly, hooks: run)
            hooks.setActivations(found, of: .other(input))
        }
    }
}
