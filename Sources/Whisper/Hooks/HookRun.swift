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
    private var paddingActivations: [HookPoint: Tensor] = [:]
    /// Captures of a pass that goes by blocks of rows, as far as they are.
    private let parts = PartialCaptures()
    /// Whether some intervention has to see an activation whole, so that blocks of rows will not do.
    let needsWholeActivations: Bool
    /// The capture after which an encoder's pass need not go on; nil where it has to go to its end.
    private let lastOfEncoder: HookPoint?

    /// - Parameters:
    ///   - sink: receives each captured activation as soon as it is complete, on the thread of the run;
    ///     what it throws ends the run.
    ///   - pause: called between two blocks of the encoder, on the thread of the run: others may compute meanwhile. What it
    ///     throws ends the run.
    public init(
        _ plan: HookPlan, dimensions: ModelDimensions, sink: @escaping (CapturedTensor) throws -> Void = { _ in },
        pause: @escaping () throws -> Void = {}
    ) throws {
        self.plan = plan
        self.dimensions = dimensions
        self.sink = sink
        self.pause = pause
        var byPoint: [HookPoint: [Intervention]] = [:]
        for intervention in plan.interventions {
            for point in intervention.targets { byPoint[point, default: []].append(intervention) }
        }
        self.interventions = byPoint
        needsWholeActivations = plan.interventions.contains { !$0.isRowwise(in: dimensions) }
        let order = HookPoint.all(in: dimensions)
        lastOfEncoder =
            plan.stopsEarly && plan.captures.allSatisfy(\.isEncoder) ? order.last(where: plan.captures.contains) : nil
    }

    /// A place where nothing of the run computes.
    func betweenBlocks() throws { try pause() }

    /// Whether there is anything to do at any hook point.
    var isActive: Bool { !plan.captures.isEmpty || !interventions.isEmpty }

    func wants(_ point: HookPoint) -> Bool { plan.captures.contains(point) || interventions[point] != nil }

    func changes(_ point: HookPoint) -> Bool { interventions[point] != nil }

    /// Thrown through the forward pass when the last capture is made; never leaves `pass`.
    private struct Complete: Error {}

    /// One forward pass through a stack; nil where it stopped early.
    func pass<Result>(_ stack: HookPoint.Stack, _ body: () throws -> Result) throws -> Result? {
        remaining = plan.captures.filter { $0.stack == stack }
        do { return try body() } catch is Complete { return nil }
    }

    /// Changes the activation at `point` as the interventions say, then captures it.
    func visit(_ point: HookPoint, _ x: inout Tensor, _ rows: RowPositions) throws {
        for intervention in interventions[point] ?? [] {
            try intervention.apply(
                to: &x, at: point, rows, validFrames: plan.meansOverPadding ? nil : plan.validFrames,
                padding: paddingActivations[point])
        }
        guard remaining.contains(point) else { return }
        if let whole = rows.whole { return try visitPart(point, x, rows, of: whole) }
        guard rows.sequences == 1 else {
            throw WhisperError(
                .invalidArgument,
                "\(point) cannot be captured from \(rows.sequences) sequences at once; decode one at a time")
        }
        try sink(captured(x, at: point, rows))
        remaining.remove(point)
        if remaining.isEmpty && plan.stopsEarly && isLastStack(point.stack) { throw Complete() }
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
        let kept = min(whole, validPositions(at: point) ?? .max)
        parts.add(x, axis: point.positionAxis, at: point, first: rows.first, of: kept)
        if point == lastOfEncoder { throw BlockComplete() }
    }

    /// Where scores or patterns, `[heads, positions, keys]`, are kept row by row as they are made.
    func recorder(_ point: HookPoint, heads: Int, keys: Int, _ rows: RowPositions, of whole: Int) -> RowRecorder? {
        guard remaining.contains(point) else { return nil }
        let kept = min(whole, validPositions(at: point) ?? .max)
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
            try sink(captured(tensor, at: point, RowPositions(first: 0, perSequence: nil, sequences: 1)))
            remaining.remove(point)
        }
        if remaining.isEmpty && plan.stopsEarly && isLastStack(stack) { throw Complete() }
    }

    /// Frames behind the keys and values of an encoder's block that anybody looks at; nil for all of them.
    ///
    /// In the block of the last capture frames no longer mix once its keys and values are made, so those that nobody
    /// keeps need not be computed; the others come out the same to the bit.
    func framesRead(inEncoderBlock layer: Int) -> Int? {
        guard plan.stopsEarly, let valid = plan.validFrames, !plan.captures.isEmpty,
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
        stack == .decoder || plan.captures.allSatisfy(\.isEncoder)
    }

    private func captured(_ x: Tensor, at point: HookPoint, _ rows: RowPositions) throws -> CapturedTensor {
        let axis = point.positionAxis
        let kept = min(x.shape[axis], validPositions(at: point) ?? .max)
        let tensor = plan.reduction.applied(to: x, axis: axis, first: kept)
        var axes = point.axes
        if plan.reduction != .none { axes.remove(at: axis) }
        return CapturedTensor(
            hook: point, tensor: tensor, axes: axes, firstPosition: rows.first, positions: kept,
            positionsPerSecond: point.position.perSecond)
    }

    private func validPositions(at point: HookPoint) -> Int? {
        plan.validFrames.flatMap(point.validPositions)
    }

    // MARK: - Substitution by padding

    /// Hook points whose activations under an all-padding input some intervention puts in.
    var needsFromPadding: Set<HookPoint> {
        guard paddingActivations.isEmpty else { return [] }
        return Set(interventions.flatMap { point, list in list.contains(where: \.needsPadding) ? [point] : [] })
    }

    func setPaddingActivations(_ activations: [HookPoint: Tensor]) { paddingActivations = activations }
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
