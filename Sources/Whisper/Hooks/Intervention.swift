import Dictionaries
import Kernels

/// A change to the activations at some hook points while the model runs.
public struct Intervention: Sendable {
    /// Where it acts; of an edge, whose contribution is changed.
    public let targets: Set<HookPoint>
    /// The positions (frames or tokens, absolute) that it changes; nil changes all.
    public internal(set) var positions: Range<Int>?
    /// The words that it changes, in the recording; they become positions in each window (``within(start:mel:)``).
    package let words: [HeardWord]?
    /// Those of ``words`` in a window: log-mel frames from the window's beginning, and tokens.
    var spoken: (melFrames: Range<Int>, tokens: Range<Int>)?
    /// The heads that it changes; nil changes all.
    public let heads: [Int]?
    /// The columns that it changes: neurons, channels, keys; nil changes all.
    public let columns: [Int]?
    /// Who alone gets the change; nil where everybody does.
    let edge: Edge?
    public internal(set) var operation: Operation

    public enum Operation: Sendable {
        /// Zero ablation.
        case zero
        /// Mean ablation: each value becomes its mean over the valid positions of this run.
        case mean
        case scale(Float)
        /// Adds a tensor times a factor: a steering vector, one value a column, or one row a position.
        case add(Tensor, Float)
        /// Puts a tensor in the place of the activation: value ablation.
        case set(Tensor)
        /// The same with a tensor of its own for each hook point.
        case put([HookPoint: Tensor])
        /// Adds normal noise of this standard deviation; the seed makes it repeatable.
        case noise(Float, seed: UInt64)
        /// Holds values between limits, or at a value where both are one.
        case clamp(ClampLimit?, ClampLimit?)
        /// Puts in what another run had, of which each hook point has rows from its first position on; from those positions of it, as many
        /// times as it takes, or from the same where there are none.
        case patchRows([HookPoint: Tensor], from: PatchSource?)
        /// Puts in what the model gives for another sound at the same place, or at those positions of it.
        case patch(OtherInput, from: PatchSource?)
        /// The same with a recording that is drawn for each window.
        case resample(OtherInputs, seed: UInt64)
        /// Keeps attention within ± k positions: scores outside become −∞ before the softmax.
        case window(Int)
        /// Puts in what an all-padding input gives at the same place.
        case substitutePadding
        /// Puts what a dictionary makes of an activation in its place.
        case splice(SparseDictionary)
        /// Changes one latent of a dictionary: x plus (z′ − z) times its direction; what the dictionary does not explain
        /// stays.
        case latent(SparseDictionary, Int, LatentChange)
    }

    /// Positions of another run.
    public enum PatchSource: Sendable, Equatable {
        /// Frames or tokens.
        case positions(Range<Int>)
        /// Log-mel frames, whatever the hook point counts.
        case melFrames(Range<Int>)

        func positions(at point: HookPoint) -> Range<Int> {
            switch self {
            case .positions(let range): range
            case .melFrames(let range): point.positions(ofMelFrames: range)
            }
        }
    }

    /// Readers of a contribution to the residual stream.
    struct Edge: Sendable {
        let receivers: Set<HookPoint>
        /// Nil for all.
        let heads: [Int]?
    }

    /// - Parameters:
    ///   - positions: absolute; nil for all.
    ///   - words: in place of positions.
    ///   - receivers: who alone gets the change, and by which of their heads (nil for all); nil where everybody does.
    /// - Throws: ``WhisperError`` (`invalidArgument`) where the operation makes no sense at a target, or cannot act.
    package init(
        targets: Set<HookPoint>, positions: Range<Int>?, words: [HeardWord]?, heads: [Int]?, columns: [Int]?,
        receivers: (points: Set<HookPoint>, heads: [Int]?)?, operation: Operation, dimensions: ModelDimensions
    ) throws {
        self.targets = targets
        (self.positions, self.words, self.heads, self.columns) = (positions, words, heads, columns)
        edge = receivers.map { Edge(receivers: $0.points, heads: $0.heads) }
        self.operation = operation
        try check(dimensions)
    }

    public init(
        targets: Set<HookPoint>, positions: Range<Int>? = nil, heads: [Int]? = nil, operation: Operation,
        dimensions: ModelDimensions
    ) throws {
        try self.init(
            targets: targets, positions: positions, words: nil, heads: heads, columns: nil, receivers: nil,
            operation: operation, dimensions: dimensions)
    }

    /// The positions at a target; nil for all.
    package func positions(at point: HookPoint) -> Range<Int>? {
        guard let spoken else { return positions }
        return point.position == .token ? spoken.tokens : point.positions(ofMelFrames: spoken.melFrames)
    }

    /// Whose activations it puts in.
    var source: ActivationSource? {
        switch operation {
        case .substitutePadding: .padding
        case .patch(let input, _): .other(input)
        default: nil
        }
    }

    /// Frames that a window leaves on either side of every query; nil for what is no window, or one of some positions.
    var reachOfAllQueries: Int? {
        guard case .window(let frames) = operation, positions == nil, words == nil, columns == nil, edge == nil else {
            return nil
        }
        return frames
    }

    /// Whether it is a window of the encoder's attention that reaches from any frame to any other.
    func hidesNothing(in dimensions: ModelDimensions) -> Bool {
        guard case .window(let frames) = operation else { return false }
        return frames >= dimensions.nAudioCtx - 1 && targets.allSatisfy(\.isEncoder)
    }

    /// Whether each position can be changed without seeing the others, so that an activation may come in blocks of rows.
    func isRowwise(in dimensions: ModelDimensions) -> Bool {
        guard edge == nil else { return false }
        func isOneRow(_ tensor: Tensor, _ point: HookPoint) -> Bool { point.rowSize(in: dimensions) == tensor.count }
        switch operation {
        case .zero, .scale, .window, .splice: return true
        case .latent(_, _, let change): return !change.isOfPass
        case .clamp(let lower, let upper): return ![lower, upper].contains { $0?.isOfPass == true }
        // Noise is drawn in the order of the whole; the mean and what others give are of the whole.
        case .mean, .noise, .substitutePadding, .patch, .patchRows, .resample: return false
        case .add(let tensor, _), .set(let tensor): return targets.allSatisfy { isOneRow(tensor, $0) }
        case .put(let tensors): return tensors.allSatisfy { isOneRow($1, $0) }
        }
    }
}

/// Whose activations an intervention puts in.
enum ActivationSource: Hashable {
    case padding
    case other(OtherInput)

    static func == (a: ActivationSource, b: ActivationSource) -> Bool {
        switch (a, b) {
        case (.padding, .padding): true
        case (.other(let a), .other(let b)): a === b
        default: false
        }
    }

    func hash(into hasher: inout Hasher) {
        if case .other(let input) = self { hasher.combine(ObjectIdentifier(input)) }
    }
}

extension HookPoint {
    /// The positions that overlap some log-mel frames.
    func positions(ofMelFrames frames: Range<Int>) -> Range<Int> {
        position == .melFrame ? frames : frames.lowerBound / 2..<(frames.upperBound + 1) / 2
    }
}

// MARK: - In a window

extension Intervention {
    /// Whether it can act in a window alone, and is not in one yet.
    var awaitsWindow: Bool {
        if case .resample = operation { true } else { words != nil && spoken == nil }
    }

    /// The change in one window: its words have become positions, its recording is drawn.
    /// - Parameters:
    ///   - start: where the window begins in the recording, in log-mel frames; nil where it is none of a recording's.
    ///   - mel: the encoder's input.
    /// - Returns: nil where it does nothing there.
    /// - Throws: what drawing a recording throws.
    func within(start: Int?, mel: Tensor) throws -> Intervention? {
        var here = self
        if let words {
            guard let start else { return nil }
            let frames = mel.shape[1]
            let window = start..<start + frames
            let heard = words.filter { $0.melFrames.overlaps(window) || ($0.window == start && $0.tokens != nil) }
            guard let first = heard.first, let last = heard.last else { return nil }
            let stretch = first.melFrames.lowerBound..<max(first.melFrames.lowerBound, last.melFrames.upperBound)
            let clamped = stretch.clamped(to: window)
            let tokens = heard.filter { $0.window == start }.compactMap(\.tokens)
            here.spoken = (
                clamped.lowerBound - start..<clamped.upperBound - start,
                (tokens.first?.lowerBound ?? 0)..<(tokens.last?.upperBound ?? 0)
            )
        }
        if case .resample(let inputs, let seed) = operation {
            here.operation = .patch(try inputs.drawn(for: mel, seed: seed), from: nil)
        }
        return here
    }
}

extension [Intervention] {
    /// These changes in one window (``Intervention/within(start:mel:)``).
    package func within(start: Int?, mel: Tensor) throws -> [Intervention] {
        try compactMap { try $0.within(start: start, mel: mel) }
    }
}
