import Kernels

/// What decoding asks of a model. Tests put a script in its place.
package protocol SpeechModel {
    var dimensions: ModelDimensions { get }
    /// The model as it listens to one window of a recording: what is changed in it may depend on the window.
    func listening(at span: WindowSpan, _ mel: Tensor) throws -> any SpeechModel
    /// One window's log-mel `[n_mels, 2 × n_audio_ctx]` to `[n_audio_ctx, n_audio_state]`.
    func encode(_ mel: Tensor) throws -> Tensor
    /// A decoder that attends to `audio` and has read nothing yet, with one sequence.
    func inference(on audio: Tensor) throws -> any Inference
    /// Reads `tokens` at once.
    /// - Returns: for each of `heads` the scores of its cross-attention before softmax, `[tokens, n_audio_ctx]`,
    ///   and the logits after each token, `[tokens, n_vocab]`.
    func crossAttention(
        of heads: [GenerationConfig.AlignmentHead], tokens: [Int], audio: Tensor
    ) throws -> (scores: [Tensor], logits: Tensor)
}

extension SpeechModel {
    package func listening(at span: WindowSpan, _ mel: Tensor) throws -> any SpeechModel { self }
}

/// The decoder's forward pass over sequences that grow side by side, with its memory of what they have read.
package protocol Inference {
    /// The logits after the last of the tokens that each sequence reads next.
    func logits(after tokens: [[Int]]) throws -> [[Float]]
    /// Lets sequence i go on from what sequence `sources[i]` was; the number of sequences may change.
    func rearrange(_ sources: [Int])
}

/// A model that runs under interventions.
struct HookedModel: SpeechModel {
    private let model: WhisperModel
    /// Its changes are those that need no window.
    private let plan: HookPlan
    /// All of them.
    private let interventions: [Intervention]
    private let hooks: HookRun

    init(_ model: WhisperModel, plan: HookPlan?) throws {
        self.model = model
        interventions = plan?.interventions ?? []
        self.plan = HookPlan(
            validFrames: plan?.validFrames, interventions: interventions.filter { !$0.awaitsWindow })
        self.hooks = try HookRun(self.plan, dimensions: model.dimensions)
    }

    var dimensions: ModelDimensions { model.dimensions }

    func listening(at span: WindowSpan, _ mel: Tensor) throws -> any SpeechModel {
        guard interventions.contains(where: \.awaitsWindow) else { return self }
        var plan = plan
        plan.interventions = try interventions.within(start: span.seek, mel: mel)
        return try HookedModel(model, plan: plan)
    }

    func encode(_ mel: Tensor) throws -> Tensor { try whole(model.encode(mel, hooks: hooks)) }

    func inference(on audio: Tensor) -> any Inference {
        ModelInference(model: model, cache: model.decoderCache(audio: audio), hooks: hooks)
    }

    func crossAttention(
        of heads: [GenerationConfig.AlignmentHead], tokens: [Int], audio: Tensor
    ) throws -> (scores: [Tensor], logits: Tensor) {
        var plan = plan
        plan.captures = Set(heads.map { HookPoint(.decoder, layer: $0.layer, .crossAttnScores) })
        plan.stopsEarly = false
        plan.validFrames = nil
        var found: [GenerationConfig.AlignmentHead: Tensor] = [:]
        let run = try HookRun(plan, dimensions: dimensions) { captured in
            for head in heads where head.layer == captured.hook.layer {
                found[head] = captured.tensor.rows(head.head..<head.head + 1)
            }
        }
        let logits = try whole(model.decode([tokens], cache: model.decoderCache(audio: audio), hooks: run))
        let scores = try heads.map { head in
            try whole(found[head]).reshaped([tokens.count, dimensions.nAudioCtx])
        }
        return (scores, logits.reshaped([tokens.count, dimensions.nVocab]))
    }
}

private struct ModelInference: Inference {
    let model: WhisperModel
    let cache: DecoderCache
    let hooks: HookRun

    func logits(after tokens: [[Int]]) throws -> [[Float]] {
        let logits = try whole(model.decode(tokens, cache: cache, lastOnly: true, hooks: hooks))
        let width = model.dimensions.nVocab
        return logits.withUnsafeBufferPointer { all in
            (0..<tokens.count).map { Array(all[$0 * width..<($0 + 1) * width]) }
        }
    }

    func rearrange(_ sources: [Int]) { cache.rearrange(sources) }
}

/// The plans made here have no run stop before its end.
private func whole<T>(_ result: T?) throws -> T {
    guard let result else { throw WhisperError(.cancelled, "the run stopped before its end") }
    return result
}
