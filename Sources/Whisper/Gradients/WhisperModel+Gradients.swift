import Kernels

extension WhisperModel {
    /// Goes back through the pass that `hooks` saw, once for each objective, by the reverse mode of differentiation.
    ///
    /// The pass is the run's latest: the encoder's (``encode(_:hooks:)``), and the decoder's one pass over all tokens
    /// (``decode(_:cache:lastOnly:hooks:)``) where an objective is read in it. Interventions are part of it: a place that was changed hands
    /// its gradient back through the change, and what was put in from elsewhere counts as constant. Arithmetic is that of the pass, float32.
    ///
    /// - Parameters:
    ///   - objectives: read at places that the run's ``GradientPlan/objectivePoints`` has, and nowhere else.
    ///   - sink: gets each gradient as soon as it is complete, from the last place to the first, with the number of its objective; what it
    ///     throws ends the work. A place that comes behind all of an objective has none.
    /// - Returns: the objectives' values.
    /// - Throws: ``WhisperError``: `failedPrecondition` for a run that was not made with a gradient plan or has not come as far as the
    ///   objectives; `unsupported` for a model in another precision than `exact`; what the objectives throw.
    public func differentiate(
        _ objectives: [Objective], through hooks: HookRun, sink: @escaping (_ objective: Int, Gradient) throws -> Void
    ) throws -> [Double] {
        guard let tape = hooks.tape else {
            throw WhisperError(
                .failedPrecondition,
                "the pass was not planned for gradients, and kept none of the values that they need")
        }
        if let refusal = precision.gradientRefusal { throw WhisperError(.unsupported, refusal) }
        for objective in objectives {
            if let stray = objective.points.first(where: { !tape.plan.objectivePoints.contains($0) }) {
                throw WhisperError(.failedPrecondition, "the pass was not planned for an objective at \(stray)")
            }
        }
        let runs = objectives.enumerated().map { index, objective in
            GradientRun(objective, hooks, tape.plan) { try sink(index, $0) }
        }
        var audio: [Tensor]?
        if tape.extent.beginsInDecoder { audio = try decoder.backward(runs, through: hooks, tape) }
        if tape.extent.endsInEncoder {
            guard let mel = tape.mel else {
                throw WhisperError(.failedPrecondition, "a gradient needs the encoder's pass, which has not been made")
            }
            let nothing = { Tensor(shape: [mel.shape[1] / 2, self.dimensions.nAudioState]) }
            try encoder.backward(runs, audio ?? runs.map { _ in nothing() }, through: hooks, tape)
        }
        return runs.map(\.value)
    }
}

extension Precision {
    /// Why a model in this precision has no gradients; nil where it has.
    package var gradientRefusal: String? {
        self == .exact
            ? nil
            : "gradients are of the model in float32, and this one was loaded as \(rawValue), whose rounding has none; "
                + "expected the precision \(Precision.exact.rawValue)"
    }
}
