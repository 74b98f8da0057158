import Kernels

/// What a way back reads of the pass that it goes through: inputs of blocks, and what their products and bends need from within.
///
/// It is filled by the hooks of the pass itself (``HookRun``), so every value in it is the one that the pass went on with, changes by
/// interventions included; and whatever is computed again for it is computed by the same code. One run uses it, on one thread.
final class GradientTape {
    let plan: GradientPlan
    let extent: GradientExtent
    /// What it keeps.
    let points: Set<HookPoint>
    private let dimensions: ModelDimensions
    private var kept: [HookPoint: Tensor] = [:]
    /// What some interventions were given, by their place among those of a hook point.
    private var inputs: [HookPoint: [Int: Tensor]] = [:]
    /// The model's input, and the decoder's tokens and the audio that they listened to, where they were read.
    var mel: Tensor?
    private(set) var tokens: [Int]?
    private(set) var audio: Tensor?
    private let interventions: [Intervention]

    /// - Throws: ``WhisperError`` as ``GradientExtent``.
    init(_ plan: GradientPlan, changing interventions: [Intervention], _ dimensions: ModelDimensions) throws {
        extent = try GradientExtent(plan, dimensions)
        (self.plan, self.dimensions, self.interventions) = (plan, dimensions, interventions)
        var points = plan.objectivePoints.filter { $0.layer == nil }
        for (stack, blocks) in [(HookPoint.Stack.encoder, extent.encoderBlocks), (.decoder, extent.decoderBlocks)] {
            points.formUnion(blocks.map { Self.input(of: $0, stack) })
            if Self.bytes(blocks.count, stack, dimensions, interventions) <= plan.memory {
                for layer in blocks { points.formUnion(Self.inside(stack, layer, plan, interventions)) }
            }
        }
        // What the normalisations after the blocks read.
        if extent.beginsInDecoder, extent.decoderBlocks.upperBound == dimensions.nTextLayer {
            points.insert(Self.input(of: dimensions.nTextLayer, .decoder))
        }
        if extent.endsInEncoder, extent.encoderBlocks.upperBound == dimensions.nAudioLayer {
            points.insert(Self.input(of: dimensions.nAudioLayer, .encoder))
        }
        if extent.includesConvolutions { points.insert(HookPoint(.encoder, .conv1)) }
        self.points = points
    }

    /// One for the inside of one block.
    private init(_ outer: GradientTape, inside points: Set<HookPoint>) {
        (plan, extent, dimensions) = (outer.plan, outer.extent, outer.dimensions)
        (interventions, self.points) = (outer.interventions, points)
        // The block is computed again no farther than `points`, and a change may lie behind them.
        inputs = outer.inputs
    }

    /// A tape for the inside of a block, where this one has it not.
    func forInside(_ stack: HookPoint.Stack, _ layer: Int) -> GradientTape? {
        let inside = Self.inside(stack, layer, plan, interventions)
        return inside.isSubset(of: points) ? nil : GradientTape(self, inside: inside)
    }

    /// The residual stream as it enters block `layer`, or leaves the last.
    func input(of layer: Int, _ stack: HookPoint.Stack) throws -> Tensor { try self[Self.input(of: layer, stack)] }

    func keep(_ x: Tensor, at point: HookPoint) { if points.contains(point) { kept[point] = x } }

    func keepInput(_ x: Tensor, ofChange index: Int, at point: HookPoint) { inputs[point, default: [:]][index] = x }

    func input(ofChange index: Int, at point: HookPoint) -> Tensor? { inputs[point]?[index] }

    /// What was kept at `point`.
    /// - Throws: ``WhisperError`` (`failedPrecondition`) where the pass has not come there.
    subscript(point: HookPoint) -> Tensor {
        get throws {
            guard let tensor = kept[point] else {
                throw WhisperError(
                    .failedPrecondition, "the gradient needs \(point), which the forward pass did not reach")
            }
            return tensor
        }
    }

    /// Takes down what the decoder reads.
    /// - Throws: ``WhisperError`` (`invalidArgument`) where that is not one sequence from its beginning, with nothing after it.
    func read(_ tokens: [[Int]], _ cache: DecoderCache) throws {
        guard tokens.count == 1, cache.length == 0, self.tokens == nil else {
            throw WhisperError(
                .invalidArgument, "a gradient goes through one pass over one sequence of tokens, from its beginning")
        }
        (self.tokens, audio) = (tokens[0], cache.audio)
    }

    func has(_ point: HookPoint) -> Bool { kept[point] != nil }

    // MARK: - What is kept

    private static func input(of layer: Int, _ stack: HookPoint.Stack) -> HookPoint {
        layer == 0 ? HookPoint(stack, .positional) : HookPoint(stack, layer: layer - 1, .block)
    }

    /// What the way back through a block reads: what was normalised, what attention multiplied, what was bent; and where objectives are
    /// read.
    private static func inside(
        _ stack: HookPoint.Stack, _ layer: Int, _ plan: GradientPlan, _ interventions: [Intervention]
    ) -> Set<HookPoint> {
        var sites: Set<HookSite> = [.residPre, .attnQ, .attnK, .attnV, .residMid, .mlp0]
        if stack == .decoder { sites.formUnion([.crossAttnQ, .crossAttnK, .crossAttnV, .residCross]) }
        var points = Set(sites.map { HookPoint(stack, layer: layer, $0) })
        // Scores and patterns follow from queries and keys, but where they were changed.
        for intervention in interventions {
            points.formUnion(
                intervention.targets.filter {
                    $0.stack == stack && $0.layer == layer && $0.site.layout == .headsFirst
                })
        }
        points.formUnion(plan.objectivePoints.filter { $0.stack == stack && $0.layer == layer })
        return points
    }

    /// Bytes of the insides of so many blocks, at most.
    private static func bytes(
        _ blocks: Int, _ stack: HookPoint.Stack, _ dimensions: ModelDimensions, _ interventions: [Intervention]
    ) -> Int {
        let frames = dimensions.nAudioCtx, tokens = dimensions.nTextCtx
        let changesAttention = interventions.contains { $0.targets.contains { $0.site.layout == .headsFirst } }
        let (state, positions) = stack == .encoder ? (dimensions.nAudioState, frames) : (dimensions.nTextState, tokens)
        var floats = positions * state * 9
        if stack == .decoder { floats += 2 * positions * state + 2 * frames * state }
        if changesAttention {
            floats +=
                stack == .encoder
                ? 2 * dimensions.nAudioHead * frames * frames
                : 2 * dimensions.nTextHead * tokens * (tokens + frames)
        }
        return blocks * floats * MemoryLayout<Float>.size
    }
}
