/// What is to be differentiated in a run, known before it starts; the objectives themselves may depend on what it finds.
public struct GradientPlan: Sendable {
    /// Where gradients are wanted.
    public var points: Set<HookPoint>
    /// Whether that of the log-mel is, the model's input.
    public var wantsLogMel: Bool
    /// Where the objectives are read (``Objective/points``).
    public var objectivePoints: Set<HookPoint>
    /// The most bytes that the insides of each stack's blocks may take. Where they would take more, the inputs of blocks are kept, and the way back
    /// computes the inside of one block at a time again: the same gradients to the bit, for about half a forward pass more.
    public var memory: Int

    public init(
        points: Set<HookPoint>, wantsLogMel: Bool = false, objectivePoints: Set<HookPoint>, memory: Int = 256 << 20
    ) {
        (self.points, self.wantsLogMel) = (points, wantsLogMel)
        (self.objectivePoints, self.memory) = (objectivePoints, memory)
    }

    /// Whether a model of these sizes has what is asked for.
    /// - Throws: ``WhisperError`` (`invalidArgument`) where no wanted place lies before an objective.
    public func check(_ dimensions: ModelDimensions) throws { _ = try GradientExtent(self, dimensions) }
}

/// How far a way back goes: the stretch of the model between the last place that an objective is read at and the first
/// place whose gradient is wanted.
struct GradientExtent {
    /// Whether it begins in the decoder, or else in the encoder.
    let beginsInDecoder: Bool
    /// Whether it ends in the encoder.
    let endsInEncoder: Bool
    /// Whether it goes on through the encoder's convolutions.
    let includesConvolutions: Bool
    /// Blocks of each stack that it leads through.
    let encoderBlocks: Range<Int>, decoderBlocks: Range<Int>

    /// - Throws: ``WhisperError`` (`invalidArgument`) where no wanted place lies before an objective.
    init(_ plan: GradientPlan, _ dimensions: ModelDimensions) throws {
        let order = HookPoint.all(in: dimensions)
        guard let last = order.last(where: plan.objectivePoints.contains) else {
            throw WhisperError(.invalidArgument, "there is no objective to take a gradient of")
        }
        let first = plan.wantsLogMel ? nil : order.first(where: plan.points.contains)
        guard plan.wantsLogMel || first != nil else {
            throw WhisperError(
                .invalidArgument, "no place is named to take the gradient at; expected a hook point, or log_mel")
        }
        // The objective's own place has a gradient too: what the objective is made of.
        if let first, let place = order.firstIndex(of: first), let end = order.firstIndex(of: last), place > end {
            throw WhisperError(
                .invalidArgument,
                "the objective at \(last) does not depend on \(first), which comes after it; expected hook points that "
                    + "come before the objective")
        }
        // Objectives of several parts are worth what all of their parts are.
        let lowest = order.first { plan.points.contains($0) || plan.objectivePoints.contains($0) }
        beginsInDecoder = !last.isEncoder
        endsInEncoder = plan.wantsLogMel || lowest?.isEncoder ?? true
        includesConvolutions =
            plan.wantsLogMel || order.prefix { $0.site != .positional }.contains { $0 == lowest }
        let (beginsInDecoder, endsInEncoder, includesConvolutions) =
            (self.beginsInDecoder, self.endsInEncoder, self.includesConvolutions)
        func blocks(_ stack: HookPoint.Stack, _ layers: Int) -> Range<Int> {
            func layer(_ point: HookPoint?) -> Int? { point?.layer ?? point.map { $0.isBehindBlocks ? layers : 0 } }
            let goesOn = stack == .decoder ? endsInEncoder : includesConvolutions
            let from = goesOn ? 0 : layer(lowest) ?? 0
            let to = stack == .encoder && beginsInDecoder ? layers : last.layer.map { $0 + 1 } ?? layer(last) ?? 0
            return min(from, to)..<to
        }
        encoderBlocks = endsInEncoder ? blocks(.encoder, dimensions.nAudioLayer) : 0..<0
        decoderBlocks = beginsInDecoder ? blocks(.decoder, dimensions.nTextLayer) : 0..<0
    }
}

extension HookPoint {
    fileprivate var isBehindBlocks: Bool { [.lnPost, .ln, .logits].contains(site) }
}
