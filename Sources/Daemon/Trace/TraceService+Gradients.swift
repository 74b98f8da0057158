import Kernels
import Whisper

extension TraceService {
    /// Differentiates the objectives of the trace in one window, whose passes are through.
    /// - Parameters:
    ///   - tokens: what the decoder read; none where it read nothing.
    ///   - prompt: how many of them were given to it.
    /// - Throws: ``WhisperError`` for an objective that the window has not; what the record throws.
    func differentiate(
        _ pass: WindowPass, _ window: TraceWindow, _ plan: TracePlan, _ record: TraceRecord, tokens: [Int], prompt: Int
    ) throws {
        guard !plan.objectives.isEmpty else { return }
        let reading = PlannedObjective.Reading(
            tokens: tokens, prompt: prompt, tokenizer: try? model.tokenizer(),
            validFrames: plan.pass.allFrames ? nil : window.validFrames)
        let objectives = try plan.objectives.map { try $0.objective(reading) }
        let values = try pass.differentiate(objectives) { index, gradient in
            let number = ObjectiveNumber(index, of: objectives.count)
            switch gradient {
            case .activation(let captured):
                try record.append(window.description(of: captured, gradient: number), captured.tensor)
            case .logMel(let tensor):
                let (description, tensor) = window.logMel(tensor, plan.pass, gradient: number)
                try record.append(description, tensor)
            }
        }
        record.differentiated(values)
    }

    /// A window of a transcript from which it took nothing has no objective.
    func skipDifferentiation(_ plan: TracePlan, _ record: TraceRecord) {
        if !plan.objectives.isEmpty { record.differentiated(plan.objectives.map { _ in .nan }) }
    }
}
