import Kernels
import Whisper

/// The passes of a transcription that nothing is captured of.
struct TranscriptPasses: TranscriptionPasses {
    private let model: WhisperModel
    private let plan: PassPlan

    /// - Parameter reusesOutputs: whether the encoder's outputs are kept, and taken where they were.
    init(_ model: WhisperModel, interventions: [Intervention], reusesOutputs: Bool) {
        self.model = model
        var plan = PassPlan.transcribing(interventions)
        plan.reusesOutput = reusesOutputs
        self.plan = plan
    }

    func encode(_ mel: Tensor, _ span: WindowSpan?) throws -> Tensor {
        try WindowPass(model, mel, plan, start: span?.seek, validFrames: nil).audio
    }

    func wrote(_ tokens: [Int], after prompt: [Int]) {}
}

extension PassPlan {
    /// What a transcription does in each window.
    static func transcribing(_ interventions: [Intervention]) -> PassPlan {
        PassPlan(interventions: interventions, meansOverPadding: true, keepsAudio: true)
    }
}
