import Whisper

/// A request, checked against the model.
struct TracePlan {
    let wantsLogMel: Bool
    let pass: PassPlan
    let objectives: [PlannedObjective]
    /// What the decoder reads: what the request says, or the text of an objective.
    let decoderInput: TraceRequest.DecoderInput

    /// - Parameter material: what interventions are made of; without it nobody listens, and the plan is good for looking at.
    /// - Throws: ``ServiceError``, ``WhisperError`` (`invalidArgument`) for what makes no sense.
    init(
        _ request: TraceRequest, _ dimensions: ModelDimensions, _ material: InterventionMaterial = .unheard
    ) throws {
        guard !request.hooks.isEmpty else { throw ServiceError(.invalidArgument, "a trace needs at least one hook") }
        guard request.hooks.count <= 4096 else {
            throw ServiceError(.invalidArgument, "a trace of \(request.hooks.count) hooks; expected at most 4096")
        }
        guard request.transcript == nil || request.context == .full else {
            throw ServiceError(
                .invalidArgument,
                "a transcript is written from whole windows, so its trace cannot have the context \(request.context.rawValue); "
                    + "expected \(EncoderContext.full.rawValue)")
        }
        wantsLogMel = request.hooks.contains(TraceRequest.logMel)
        let patterns = request.hooks.filter { $0 != TraceRequest.logMel }
        let captures = Set(try patterns.flatMap { try HookPoint.matching($0, in: dimensions) })
        guard request.objectives.count <= 64 else {
            throw ServiceError(
                .invalidArgument, "a trace of \(request.objectives.count) objectives; expected at most 64")
        }
        objectives = try request.objectives.map { try PlannedObjective($0, dimensions: dimensions) }
        decoderInput = try request.decoderInput(objectives: request.objectives)
        let gradients =
            objectives.isEmpty
            ? nil
            : GradientPlan(
                points: captures, wantsLogMel: wantsLogMel,
                objectivePoints: objectives.reduce(into: []) { $0.formUnion($1.points) })
        try gradients?.check(dimensions)
        pass = PassPlan(
            captures: captures,
            reduction: request.reduction, allFrames: request.frames == .all,
            interventions: try request.interventions.interventions(dimensions, material),
            meansOverPadding: request.transcript != nil, keepsAudio: request.transcript != nil, gradients: gradients)
    }
}

extension TraceRequest {
    /// What the decoder reads, where objectives may bring a text of their own.
    /// - Throws: ``ServiceError`` (`invalidArgument`) for texts that differ: one forward pass reads one sequence of tokens.
    fileprivate func decoderInput(objectives: [String]) throws -> DecoderInput {
        let texts = try objectives.compactMap { try ObjectiveText($0).textToRead }
        guard let text = texts.first else { return decoderInput }
        let own: String? = if case .text(let text) = decoderInput { text } else { nil }
        if let other = (texts + [own].compactMap { $0 }).first(where: { $0 != text }) {
            throw ServiceError(
                .invalidArgument,
                "one pass of the decoder reads one text; the objectives and the request have \"\(text)\" and \"\(other)\""
            )
        }
        guard transcript == nil, own != nil || decoderInput == .greedy else {
            throw ServiceError(
                .invalidArgument,
                "the decoder reads the text of the objective, \"\(text)\", so the trace can have no tokens and no transcript of its own"
            )
        }
        return .text(text)
    }
}
