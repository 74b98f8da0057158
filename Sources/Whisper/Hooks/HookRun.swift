/// One run's hooks: the plan, and where the captured activations go. Not Sendable: one run uses it.
public final class HookRun {
    public let plan: HookPlan
    /// - Parameter sink: receives each captured activation as soon as it is complete, on the thread of the run.
    public init(_ plan: HookPlan, dimensions: ModelDimensions, sink: @escaping (CapturedTensor) throws -> Void = { _ in }) throws {
        self.plan = plan
    }
}
