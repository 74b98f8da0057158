import Kernels

/// A gradient at one place.
public enum Gradient: Sendable {
    /// Of a hook point: its tensor has the shape of the activation there, cut and reduced like it.
    case activation(CapturedTensor)
    /// Of the model's input, `[n_mels, 2 × frames]`, all of it.
    case logMel(Tensor)
}

/// One objective's way back through a pass: what the objective gives at hook points, what is wanted there, and what
/// interventions make of it.
///
/// At a hook point the gradient is that of the activation as it went on, after all changes; then it goes back through the changes.
final class GradientRun {
    private let objective: Objective
    private let run: HookRun
    private let sink: (Gradient) throws -> Void
    /// Places that are still to come: where a gradient is wanted, or a part of the objective is read.
    private var remaining: Set<HookPoint>
    private var remainsLogMel: Bool
    /// Whether anything of the objective has been met: before, gradients are nothing, and are not told.
    private(set) var isLive = false
    /// The sum of the objective's parts that were met.
    private(set) var value = 0.0

    init(_ objective: Objective, _ run: HookRun, _ plan: GradientPlan, sink: @escaping (Gradient) throws -> Void) {
        (self.objective, self.run, self.sink) = (objective, run, sink)
        remaining = plan.points.union(objective.points)
        remainsLogMel = plan.wantsLogMel
    }

    /// Whether all that was to come has come.
    var isDone: Bool { remaining.isEmpty && !remainsLogMel }

    /// Thrown where nothing more is to come; never leaves ``through(_:)``.
    private struct Complete: Error {}

    /// Runs a part of the way, unless all has come; ends it when it has.
    func through(_ body: () throws -> Void) throws {
        guard !isDone else { return }
        do { try body() } catch is Complete {}
    }

    /// The way back past a hook point, with the gradient of the activation there.
    func visit(_ point: HookPoint, _ g: inout Tensor, _ tape: GradientTape) throws {
        for term in objective.terms where term.point == point {
            let part = try term.evaluate(tape[point])
            g.add(part.gradient)
            value += part.value
            isLive = true
        }
        if isLive, wants(point) {
            try sink(.activation(run.captured(g, at: point, .all)))
        }
        try pass(point)
        for (index, intervention) in run.changes(at: point).enumerated().reversed() {
            try intervention.backward(
                &g, at: point, .all, validFrames: run.plan.meansOverPadding ? nil : run.plan.validFrames,
                input: tape.input(ofChange: index, at: point))
        }
    }

    private func pass(_ point: HookPoint) throws {
        remaining.remove(point)
        if isDone { throw Complete() }
    }

    /// The way's end.
    func finish(_ logMel: Tensor) throws {
        if remainsLogMel, isLive { try sink(.logMel(logMel)) }
        remainsLogMel = false
    }

    // MARK: - Scores and patterns

    /// Whether the gradient there has to be laid out, and not only told.
    func laysOut(_ point: HookPoint) -> Bool {
        run.changes(point) || objective.points.contains(point) || (wants(point) && run.plan.reduction != .none)
    }

    private func wants(_ point: HookPoint) -> Bool { run.tape?.plan.points.contains(point) == true }

    /// Where rows of a gradient of scores or patterns, `[heads, queries, keys]`, are told from the tiles as they are made.
    func recording(_ point: HookPoint, heads: Int, queries: Int, keys: Int) -> RecordedGradient? {
        guard isLive, wants(point) else { return nil }
        return RecordedGradient(
            heads: heads, kept: min(queries, run.validPositions(at: point) ?? .max), keys: keys)
    }

    func visit(_ point: HookPoint, recorded: RecordedGradient?) throws {
        if let recorded {
            try sink(
                .activation(
                    CapturedTensor(
                        hook: point, tensor: recorded.tensor, axes: point.axes, firstPosition: 0,
                        positions: recorded.kept, positionsPerSecond: point.position.perSecond)))
        }
        try pass(point)
    }
}

/// A gradient of scores or patterns as it comes in tiles: `[heads, kept, keys]`.
final class RecordedGradient {
    let tensor: Tensor
    let kept: Int
    let rows: RowRecorder

    init(heads: Int, kept: Int, keys: Int) {
        var tensor = Tensor(uninitialized: [heads, kept, keys])
        // Nobody else has the tensor before all tiles have come, so its memory stays where it is.
        let base = tensor.withUnsafeMutableBufferPointer { $0.baseAddress! }
        rows = RowRecorder(base: base, heads: heads, kept: kept, keys: keys, first: 0)
        (self.tensor, self.kept) = (tensor, kept)
    }
}

/// Where on the way back one is: what turns `hooks(.mlp1, &g)` into a visit of `encoder.blocks.2.mlp.1`, as ``HookScope`` does
/// on the way there.
struct GradientScope {
    let run: GradientRun
    let stack: HookPoint.Stack
    var layer: Int?
    let tape: GradientTape

    private func point(_ site: HookSite) -> HookPoint { HookPoint(stack, layer: layer, site) }

    func callAsFunction(_ site: HookSite, _ g: inout Tensor) throws { try run.visit(point(site), &g, tape) }

    /// The activation that the pass went on with there.
    func kept(_ site: HookSite) throws -> Tensor { try tape[point(site)] }

    /// The same where the tape has it.
    func keptIfAny(_ site: HookSite) throws -> Tensor? { tape.has(point(site)) ? try tape[point(site)] : nil }

    func laysOut(_ site: HookSite) -> Bool { run.laysOut(point(site)) }

    func recording(_ site: HookSite, heads: Int, queries: Int, keys: Int) -> RecordedGradient? {
        run.recording(point(site), heads: heads, queries: queries, keys: keys)
    }

    func callAsFunction(_ site: HookSite, recorded: RecordedGradient?) throws {
        try run.visit(point(site), recorded: recorded)
    }
}

extension RowPositions {
    /// All positions of one sequence, from the first.
    package static let all = RowPositions(first: 0, perSequence: nil, sequences: 1)
}
