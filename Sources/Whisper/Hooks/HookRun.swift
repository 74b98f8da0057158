import Kernels

/// One run's hooks: what is wanted, what has been seen, and where it goes.
///
/// The plan is known before the run starts, so what nobody asked for is never laid out or stored, and the run
/// ends with its last capture. Not Sendable: one run uses it at a time.
public final class HookRun {
    public let plan: HookPlan
    private let dimensions: ModelDimensions
    private let sink: (CapturedTensor) throws -> Void
    private let pause: () throws -> Void
    private let interventions: [HookPoint: [Intervention]]
    /// Captures of the pass under way that are still to come.
    private var remaining: Set<HookPoint> = []
    /// What other sounds give where interventions put it in: of the encoder for the pass, of the decoder for the tokens under way.
    private var others: [ActivationSource: [HookPoint: Tensor]] = [:]
    /// Contributions that only some of their readers get changed.
    let edges: EdgeRun
    /// Whether captures may have rows of several sequences.
    var takesSequences = false
    /// Captures of a pass that goes by blocks of rows, as far as they are.
    private let parts = PartialCaptures()
    /// What the way back of a gradient will read, where there is to be one.
    let tape: GradientTape?
    /// What is captured, and what the tape keeps.
    private let wanted: Set<HookPoint>
    /// Whether some intervention has to see an activation whole, so that blocks of rows will not do.
    let needsWholeActivations: Bool
    /// The capture after which an encoder's pass need not go on; nil where it has to go to its end.
    private let lastOfEncoder: HookPoint?

    /// - Parameters:
    ///   - gradients: what is to be differentiated when the run is through (``WhisperModel/differentiate(_:through:sink:)``).
    ///   - sink: receives each captured activation as soon as it is complete, on the thread of the run; what it throws ends
    ///     the run.
    ///   - pause: called between two blocks of the encoder, on the thread of the run: others may compute meanwhile. What it
    ///     throws ends the run.
    public convenience init(
        _ plan: HookPlan, dimensions: ModelDimensions, gradients: GradientPlan? = nil,
        sink: @escaping (CapturedTensor) throws -> Void = { _ in }, pause: @escaping () throws -> Void = {}
    ) throws {
        if gradients != nil, plan.interventions.contains(where: { $0.edge != nil }) {
            throw WhisperError(
                .unsupported,
                "a gradient goes back through a model whose readers all get the same, and so not through an edge (@to)")
        }
        let tape = try gradients.map { try GradientTape($0, changing: plan.interventions, dimensions) }
        try self.init(plan, dimensions: dimensions, tape: tape, sink: sink, pause: pause)
    }

    /// A run that also keeps, whole, what a way back reads.
    init(
        _ plan: HookPlan, dimensions: ModelDimensions, tape: GradientTape?,
        sink: @escaping (CapturedTensor) throws -> Void, pause: @escaping () throws -> Void = {}
    ) throws {
        if plan.interventions.contains(where: \.awaitsWindow) {
            throw WhisperError(
                .failedPrecondition, "a change of words, or a resample, acts in a window, and this pass is in none")
        }
        self.plan = plan
        self.tape = tape
        wanted = plan.captures.union(tape?.points ?? [])
        self.dimensions = dimensions
        self.sink = sink
        self.pause = pause
        var byPoint: [HookPoint: [Intervention]] = [:]
        for intervention in plan.interventions
        where intervention.edge == nil && (tape != nil || !intervention.hidesNothing(in: dimensions)) {
            for point in intervention.targets { byPoint[point, default: []].append(intervention) }
        }
        self.interventions = byPoint
        edges = EdgeRun(plan.interventions)
        needsWholeActivations = plan.interventions.contains {
            !$0.isRowwise(in: dimensions) || (tape != nil && $0.backwardReadsInput)
        }
        let order = HookPoint.all(in: dimensions)
        lastOfEncoder =
            plan.stopsEarly && wanted.allSatisfy(\.isEncoder) ? order.last(where: wanted.contains) : nil
    }

    /// A place where nothing of the run computes.
    func betweenBlocks() throws { try pause() }

    /// Whether there is anything to do at any hook point.
    var isActive: Bool { !wanted.isEmpty || !interventions.isEmpty || !edges.isEmpty }

    /// Whether an output of the encoder that was kept will do: something is changed, or the plan says so, and what the encoder computes is
    /// neither changed nor asked for before its output.
    var takesKeptOutput: Bool {
        func isBehind(_ point: HookPoint) -> Bool { !point.isEncoder || point.site == .lnPost }
        return (plan.reusesOutput || !plan.interventions.isEmpty) && edges.isEmpty && tape == nil
            && wanted.allSatisfy(isBehind)
            && interventions.keys.allSatisfy(isBehind)
    }

    func wants(_ point: HookPoint) -> Bool { wanted.contains(point) || interventions[point] != nil }

    func changes(_ point: HookPoint) -> Bool { interventions[point] != nil }

    /// What changes the activation there, in that order.
    func changes(at point: HookPoint) -> [Intervention] { interventions[point] ?? [] }

    /// How far from its query a key may be in each head, nil for any distance, where nothing but windows acts at a point and nobody asks for it.
    func reach(at point: HookPoint, heads: Int) -> [Int?]? {
        guard !wanted.contains(point), tape == nil, let changes = interventions[point] else { return nil }
        var reach = [Int?](repeating: nil, count: heads)
        for change in changes {
            guard let frames = change.reachOfAllQueries else { return nil }
            for head in change.heads ?? Array(0..<heads) { reach[head] = min(reach[head] ?? frames, frames) }
        }
        return reach
    }

    /// Thrown through the forward pass when the last capture is made; never leaves `pass`.
    private struct Complete: Error {}

    /// One forward pass through a stack; nil where it stopped early.
    func pass<Result>(_ stack: HookPoint.Stack, _ body: () throws -> Result) throws -> Result? {
        remaining = wanted.filter { $0.stack == stack }
        edges.begin()
        do { return try body() } catch is Complete { return nil }
    }

    /// Changes the activation at `point` as the interventions say, then captures it.
    func visit(_ point: HookPoint, _ x: inout Tensor, _ rows: RowPositions) throws {
        for (index, intervention) in changes(at: point).enumerated() {
            if intervention.backwardReadsInput { tape?.keepInput(x, ofChange: index, at: point) }
            try apply(intervention, to: &x, at: point, rows)
        }
        guard remaining.contains(point) else { return }
        if let whole = rows.whole { return try visitPart(point, x, rows, of: whole) }
        guard rows.sequences == 1 || takesSequences else {
            throw WhisperError(
                .invalidArgument,
                "\(point) cannot be captured from \(rows.sequences) sequences at once; decode one at a time")
        }
        try complete(x, at: point, rows)
        if remaining.isEmpty && plan.stopsEarly && isLastStack(point.stack) { throw Complete() }
    }

    private func apply(_ intervention: Intervention, to x: inout Tensor, at point: HookPoint, _ rows: RowPositions)
        throws
    {
        try intervention.apply(
            to: &x, at: point, rows, validFrames: plan.meansOverPadding ? nil : plan.validFrames,
            other: intervention.source.flatMap { others[$0]?[point] })
    }

    /// Takes down what some readers are to get changed of a contribution to the residual stream.
    /// - Parameter toStream: what a difference there is in the stream.
    func send(_ point: HookPoint, _ x: Tensor, _ rows: RowPositions, _ toStream: (Tensor) -> Tensor) throws {
        for (number, edge) in edges.beginning(at: point) {
            var changed = x
            try apply(edge, to: &changed, at: point, rows)
            edges.keep(toStream(changed.less(x)), of: number)
        }
    }

    // MARK: - Blocks of rows

    /// Runs `body` for one block of rows; a block that has given its last capture ends there.
    func throughBlock(_ body: () throws -> Void) throws {
        do { try body() } catch is BlockComplete {}
    }

    /// Ends one block of rows; never leaves `throughBlock`.
    private struct BlockComplete: Error {}

    /// Keeps what is captured of some rows; called from several threads, each with rows of its own.
    private func visitPart(_ point: HookPoint, _ x: Tensor, _ rows: RowPositions, of whole: Int) throws {
        let kept = min(whole, keptPositions(at: point) ?? .max)
        parts.add(x, axis: point.positionAxis, at: point, first: rows.first, of: kept)
        if point == lastOfEncoder { throw BlockComplete() }
    }

    /// Where scores or patterns, `[heads, positions, keys]`, are kept row by row as they are made.
    func recorder(_ point: HookPoint, heads: Int, keys: Int, _ rows: RowPositions, of whole: Int) -> RowRecorder? {
        guard remaining.contains(point) else { return nil }
        let kept = min(whole, keptPositions(at: point) ?? .max)
        let base = parts.base(at: point, shape: [heads, kept, keys], kept: kept)
        return RowRecorder(base: base, heads: heads, kept: kept, keys: keys, first: rows.first)
    }

    func recorded(_ point: HookPoint, first: Int, rows: Int) throws {
        parts.add(rows: rows, first: first, at: point)
        if point == lastOfEncoder { throw BlockComplete() }
    }

    /// Gives the sink what all blocks of rows have been through, in the order of the forward pass.
    func deliver(_ stack: HookPoint.Stack) throws {
        guard !parts.isEmpty else { return }
        for point in HookPoint.all(in: dimensions) where remaining.contains(point) {
            guard let tensor = parts.take(point) else { continue }
            try complete(tensor, at: point, RowPositions(first: 0, perSequence: nil, sequences: 1))
        }
        if remaining.isEmpty && plan.stopsEarly && isLastStack(stack) { throw Complete() }
    }

    /// Frames behind the keys and values of an encoder's block that anybody looks at; nil for all of them.
    ///
    /// In the block of the last capture frames no longer mix once its keys and values are made, so those that nobody
    /// keeps need not be computed; the others come out the same to the bit.
    func framesRead(inEncoderBlock layer: Int) -> Int? {
        guard plan.stopsEarly, tape == nil, edges.isEmpty, let valid = plan.validFrames, !plan.captures.isEmpty,
            plan.captures.allSatisfy({ $0.isEncoder && depth($0) <= layer }),
            interventions.keys.allSatisfy({ !$0.isEncoder || depth($0) < layer })
        else { return nil }
        return max(1, valid)
    }

    /// The encoder's block that has to be computed for a point; −1 for what lies before them.
    private func depth(_ point: HookPoint) -> Int {
        point.layer ?? (point.site == .lnPost ? dimensions.nAudioLayer - 1 : -1)
    }

    /// Whether no capture can come after those of this stack: the encoder's result is needed by the decoder's.
    private func isLastStack(_ stack: HookPoint.Stack) -> Bool {
        stack == .decoder || wanted.allSatisfy(\.isEncoder)
    }

    /// Hands an activation over that has been seen whole.
    private func complete(_ x: Tensor, at point: HookPoint, _ rows: RowPositions) throws {
        remaining.remove(point)
        tape?.keep(x, at: point)
        if plan.captures.contains(point) { try sink(captured(x, at: point, rows)) }
    }

    /// An activation, or its gradient, cut and reduced as the plan says.
    func captured(_ x: Tensor, at point: HookPoint, _ rows: RowPositions) throws -> CapturedTensor {
        let axis = point.positionAxis
        let kept = min(x.shape[axis], validPositions(at: point) ?? .max)
        let tensor = plan.reduction.applied(to: x, axis: axis, first: kept)
        var axes = point.axes
        if plan.reduction != .none { axes.remove(at: axis) }
        return CapturedTensor(
            hook: point, tensor: tensor, axes: axes, firstPosition: rows.first, positions: kept,
            positionsPerSecond: point.position.perSecond)
    }

    /// How many of a point's positions are captured; nil for all.
    func validPositions(at point: HookPoint) -> Int? { plan.validFrames.flatMap(point.validPositions) }

    /// The same where the tape may need the others.
    private func keptPositions(at point: HookPoint) -> Int? {
        tape?.points.contains(point) == true ? nil : validPositions(at: point)
    }

    // MARK: - Other sounds

    /// What other sounds have to give in a stack: each with the hook points where some intervention puts that in.
    func needsOfOthers(_ stack: HookPoint.Stack) -> [ActivationSource: Set<HookPoint>] {
        plan.interventions.reduce(into: [:]) { needs, intervention in
            let points = intervention.targets.filter { $0.stack == stack }
            if let source = intervention.source, !points.isEmpty { needs[source, default: []].formUnion(points) }
        }
    }

    /// - Parameter activations: of one stack; those of the other stay.
    func setActivations(_ activations: [HookPoint: Tensor], of source: ActivationSource) {
        others[source, default: [:]].merge(activations) { $1 }
    }

    // MARK: - Again

    /// A run that changes nothing and captures nothing, with the same places where others may compute.
    func unchanged() throws -> HookRun {
        try HookRun(HookPlan(), dimensions: dimensions, tape: nil, sink: { _ in }, pause: pause)
    }

    /// The same run, with the same changes, as far as it has to go for `tape`: nothing else is captured.
    func again(keeping tape: GradientTape) throws -> HookRun {
        var plan = plan
        plan.captures = []
        plan.stopsEarly = true
        let run = try HookRun(plan, dimensions: dimensions, tape: tape) { _ in }
        run.others = others
        return run
    }
}

extension HookPoint {
    /// The axis of the positions in an activation at this point.
    var positionAxis: Int { site.layout == .headsFirst ? 1 : 0 }

    /// How many of this point's positions lie within the first `frames` frames; nil where its positions are tokens.
    func validPositions(frames: Int) -> Int? {
        switch position {
        case .melFrame: 2 * frames
        case .frame: frames
        case .token: nil
        }
    }
}

extension Reduction {
    /// The first `kept` positions along `axis`, reduced; without a reduction, those positions themselves.
    package func applied(to x: Tensor, axis: Int, first kept: Int) -> Tensor {
        switch self {
        case .none: x.prefix(kept, axis: axis)
        case .max: x.maximum(ofFirst: kept, axis: axis)
        case .mean: x.mean(ofFirst: kept, axis: axis)
        }
    }
}
