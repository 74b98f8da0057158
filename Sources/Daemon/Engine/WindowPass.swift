import Kernels
import Whisper

/// One pass of a model over one window: the only place of the daemon where a model hears anything.
///
/// A log-mel and a ``PassPlan`` go in; captures come out through the sink as soon as they are known, and the encoder's output.
/// The encoder runs once, when the pass is made. Its output then serves whatever the decoder does about the window: telling the
/// language, writing (``tokens(of:turn:)``), and reading tokens with hooks (``read(_:)``), each of which may follow or not.
///
/// What is to be known of every window belongs here: gradients follow the passes that they go back through (``differentiate(_:sink:)``); a
/// shorter context is a log-mel of fewer frames.
///
/// One thread uses it, with the engine's turn held.
final class WindowPass {
    private let model: WhisperModel
    private let plan: PassPlan
    private let run: HookRun
    /// Nil where the pass ended with its last capture.
    private let output: Tensor?

    /// Encodes.
    /// - Parameters:
    ///   - mel: `[n_mels, 2 × frames]`, padding included.
    ///   - start: where the window begins in its recording, in log-mel frames; nil where it is none of a recording's.
    ///   - validFrames: encoder frames that overlap audio; nil where all do.
    ///   - turn: where it is given, the engine is handed over between two blocks of the encoder as well, to whoever had less of it: for
    ///     passes whose length others would feel.
    ///   - sink: gets each capture; what it throws ends the pass.
    /// - Throws: ``WhisperError``; what `sink` throws.
    init(
        _ model: WhisperModel, _ mel: Tensor, _ plan: PassPlan, start: Int? = nil, validFrames: Int?,
        turn: EngineTurn? = nil,
        sink: @escaping (CapturedTensor) throws -> Void = { _ in }
    ) throws {
        self.model = model
        self.plan = plan
        var here = plan.hookPlan(validFrames: validFrames)
        here.interventions = try here.interventions.within(start: start, mel: mel)
        run = try HookRun(
            here, dimensions: model.dimensions, gradients: plan.gradients, sink: sink,
            pause: { try turn?.checkpoint() })
        output = try model.encode(mel, hooks: run)
    }

    /// The encoder's output, `[frames, n_audio_state]`.
    /// - Throws: ``ServiceError`` (`failedPrecondition`) where neither the plan asked for it nor hooks in the decoder.
    var audio: Tensor {
        get throws {
            guard let output else {
                throw ServiceError(.failedPrecondition, "a pass that ends with its last capture has no encoder output")
            }
            return output
        }
    }

    /// What is changed in this window.
    var interventions: [Intervention] { run.plan.interventions }

    /// The tokens of this window, under the interventions of the plan.
    /// - Parameter turn: its checkpoints come between the tokens that the model writes.
    func tokens(of prompt: DecoderPrompt, turn: EngineTurn?) throws -> [Int] {
        try prompt.tokens(of: audio, hooks: run.plan, turn: turn)
    }

    /// Lets the decoder read `tokens` in one pass, where something in it is to be captured or differentiated.
    func read(_ tokens: [Int]) throws {
        guard plan.readsDecoder else { return }
        _ = try model.decode([tokens], cache: model.decoderCache(audio: audio), hooks: run)
    }

    /// Goes back through the passes so far, for each objective (``Whisper/WhisperModel/differentiate(_:through:sink:)``).
    /// - Returns: the objectives' values.
    func differentiate(
        _ objectives: [Objective], sink: @escaping (_ objective: Int, Gradient) throws -> Void
    ) throws -> [Double] {
        try model.differentiate(objectives, through: run, sink: sink)
    }
}

/// What is done in every window of a recording.
struct PassPlan: Sendable {
    var captures: Set<HookPoint> = []
    var reduction = Reduction.none
    /// Whether the padding's positions are captured too. The means that interventions put in are then taken over them as well.
    var allFrames = false
    var interventions: [Intervention] = []
    /// Whether those means are taken over the padding in any case, as a transcription has it.
    var meansOverPadding = false
    /// Whether the encoder's output is wanted by others than hooks in the decoder. Where it is not, a pass ends with its last capture.
    var keepsAudio = false
    /// Whether a pass that neither captures nor changes anything may be one of before (``Whisper/HookPlan/reusesOutput``).
    var reusesOutput = false
    /// What is to be differentiated when the passes are through.
    var gradients: GradientPlan?

    /// Whether the decoder has to read tokens.
    var readsDecoder: Bool {
        captures.contains { !$0.isEncoder } || gradients?.objectivePoints.contains { !$0.isEncoder } == true
    }

    fileprivate func hookPlan(validFrames: Int?) -> HookPlan {
        HookPlan(
            captures: captures, reduction: reduction, validFrames: allFrames ? nil : validFrames,
            interventions: interventions, meansOverPadding: meansOverPadding,
            stopsEarly: readsDecoder || !keepsAudio, reusesOutput: reusesOutput)
    }
}
