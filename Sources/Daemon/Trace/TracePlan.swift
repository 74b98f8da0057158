import Whisper

/// A request, checked against the model.
struct TracePlan {
    let wantsLogMel: Bool
    let pass: PassPlan

    /// - Throws: ``ServiceError``, ``WhisperError`` (`invalidArgument`) for what makes no sense.
    init(_ request: TraceRequest, _ dimensions: ModelDimensions) throws {
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
        pass = PassPlan(
            captures: Set(try patterns.flatMap { try HookPoint.matching($0, in: dimensions) }),
            reduction: request.reduction, allFrames: request.frames == .all,
            interventions: try request.interventions.map { try $0.intervention(dimensions) },
            meansOverPadding: request.transcript != nil, keepsAudio: request.transcript != nil)
    }
}
