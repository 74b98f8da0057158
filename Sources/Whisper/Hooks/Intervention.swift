import Dictionaries
import Foundation
import Kernels

/// A change to the activations at some hook points while the model runs.
public struct Intervention: Sendable {
    /// Where it acts.
    public let targets: Set<HookPoint>
    /// The positions (frames or tokens, absolute) that it changes; nil changes all.
    public let positions: Range<Int>?
    /// The heads that it changes; nil changes all.
    public let heads: [Int]?
    public let operation: Operation

    public enum Operation: Sendable {
        /// Zero ablation.
        case zero
        /// Mean ablation: each value becomes its mean over the valid positions of this run.
        case mean
        case scale(Float)
        /// Adds a tensor times a factor: a steering vector, one value a column, or one row a position.
        case add(Tensor, Float)
        /// Puts a tensor in the place of the activation: value ablation, or patching from another run.
        case set(Tensor)
        /// Adds normal noise of this standard deviation; the seed makes it repeatable.
        case noise(Float, seed: UInt64)
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

    /// - Throws: ``WhisperError`` (`invalidArgument`) where the operation makes no sense at a target.
    public init(
        targets: Set<HookPoint>, positions: Range<Int>? = nil, heads: [Int]? = nil, operation: Operation,
        dimensions: ModelDimensions
    ) throws {
        self.targets = targets
        self.positions = positions
        self.heads = heads
        self.operation = operation
        if case .latent(let dictionary, let latent, _) = operation {
            do { try dictionary.check(latent: latent) } catch {
                throw WhisperError(.invalidArgument, "\(error)")
            }
        }
        try check(dimensions)
    }

    var needsPadding: Bool {
        if case .substitutePadding = operation { true } else { false }
    }

    /// Whether each position can be changed without seeing the others, so that an activation may come in blocks of rows.
    func isRowwise(in dimensions: ModelDimensions) -> Bool {
        switch operation {
        case .zero, .scale, .window, .splice, .latent: true
        // Noise is drawn in the order of the whole; the mean and what padding gives are of the whole.
        case .mean, .noise, .substitutePadding: false
        case .add(let tensor, _), .set(let tensor):
            targets.allSatisfy { $0.rowSize(in: dimensions) == tensor.count }
        }
    }

    private func check(_ dimensions: ModelDimensions) throws {
        for point in targets {
            if let heads {
                let count = point.isEncoder ? dimensions.nAudioHead : dimensions.nTextHead
                guard point.site.layout != .rows else {
                    throw WhisperError(
                        .invalidArgument, "\(point) has no heads to choose from; q, k, v, z, scores and pattern have")
                }
                if let stray = heads.first(where: { !(0..<count).contains($0) }) {
                    throw WhisperError(.invalidArgument, "\(point) has heads 0 to \(count - 1), and no head \(stray)")
                }
            }
            if case .substitutePadding = operation, !point.isEncoder {
                throw WhisperError(
                    .invalidArgument,
                    "substitute-padding acts on the encoder, whose input is padded; \(point) is not in it")
            }
            if usesDictionary, heads != nil || point.site.layout == .headsFirst {
                throw WhisperError(
                    .invalidArgument, "a dictionary acts on whole rows, of all heads; \(point) has none")
            }
            if case .window = operation, point.site != .attnScores {
                throw WhisperError(
                    .invalidArgument, "a window limits self-attention (…blocks.N.attn); \(point) is something else")
            }
        }
    }
}

// MARK: - Acting

extension Intervention {
    /// Changes `x`, the activation at `point`.
    /// - Parameters:
    ///   - validFrames: how many frames overlap audio, for means.
    ///   - padding: the activation under an all-padding input, where ``needsPadding``.
    /// - Throws: ``WhisperError`` (`invalidArgument`) where a tensor does not fit the activation.
    package func apply(
        to x: inout Tensor, at point: HookPoint, _ rows: RowPositions, validFrames: Int?, padding: Tensor?
    ) throws {
        let view = ActivationView(x.shape, point.site.layout)
        let chosenRows = (0..<view.positions).filter { positions?.contains(rows.position(ofRow: $0)) ?? true }
        if usesDictionary { return try applyDictionary(to: &x, at: point, chosen: chosenRows) }
        let chosenHeads = heads ?? Array(0..<view.heads)
        let source = try replacement(for: x, at: point, view, chosenRows, rows, validFrames, padding)
        x.withUnsafeMutableBufferPointer { x in
            var noise = NormalNoise(seed: seed(at: point, rows))
            for head in chosenHeads {
                for (index, row) in chosenRows.enumerated() {
                    let slice = UnsafeMutableBufferPointer(
                        rebasing: x[view.offset(row, head)..<view.offset(row, head) + view.width])
                    switch operation {
                    case .zero: slice.update(repeating: 0)
                    case .scale(let factor): for i in slice.indices { slice[i] *= factor }
                    case .noise(let deviation, _): for i in slice.indices { slice[i] += deviation * noise.next() }
                    case .add(_, let factor): source?.read(index, row, head) { slice[$0] += factor * $1 }
                    case .set, .mean, .substitutePadding: source?.read(index, row, head) { slice[$0] = $1 }
                    case .window(let k):
                        let query = rows.position(ofRow: row)
                        for key in slice.indices where abs(query - key) > k { slice[key] = -.infinity }
                    case .splice, .latent: break  // whole rows, before this loop
                    }
                }
            }
        }
    }

    /// The values that are added or put in, where the operation has some.
    private func replacement(
        for x: Tensor, at point: HookPoint, _ view: ActivationView, _ chosen: [Int], _ rows: RowPositions,
        _ validFrames: Int?, _ padding: Tensor?
    ) throws -> ReplacementRows? {
        switch operation {
        case .add(let tensor, _), .set(let tensor):
            return try ReplacementRows(tensor, for: view, chosen: chosen.count, at: point)
        case .substitutePadding:
            return try padding.map { try ReplacementRows($0, for: view, chosen: chosen.count, at: point) }
        case .mean:
            let valid = validFrames.flatMap(point.validPositions) ?? .max
            let axis = point.positionAxis
            let mean = Reduction.mean.applied(to: x, axis: axis, first: min(valid, x.shape[axis]))
            return try ReplacementRows(mean, for: view, chosen: chosen.count, at: point)
        case .zero, .scale, .noise, .window, .splice, .latent: return nil
        }
    }

    private func seed(at point: HookPoint, _ rows: RowPositions) -> UInt64 {
        guard case .noise(_, let seed) = operation else { return 0 }
        // Different noise at every place and position, the same in every run.
        return point.name.utf8.reduce(seed &+ UInt64(rows.first) &* 0x9E37_79B9_7F4A_7C15) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01B3
        }
    }
}

/// An activation as positions × heads × width, whatever its axes.
struct ActivationView {
    let positions: Int, heads: Int, width: Int
    private let positionStride: Int, headStride: Int

    init(_ shape: [Int], _ layout: HookSite.Layout) {
        switch layout {
        case .rows:
            (positions, heads, width) = (shape[0], 1, shape[1])
            (positionStride, headStride) = (width, 0)
        case .perHead:
            (positions, heads, width) = (shape[0], shape[1], shape[2])
            (positionStride, headStride) = (heads * width, width)
        case .headsFirst:
            (positions, heads, width) = (shape[1], shape[0], shape[2])
            (positionStride, headStride) = (width, positions * width)
        }
    }

    func offset(_ position: Int, _ head: Int) -> Int { position * positionStride + head * headStride }
}

/// Values to put into an activation: one row for all positions, one for each chosen position, or one for every position.
private struct ReplacementRows {
    private let values: Tensor
    private let view: ActivationView
    private let rows: Rows
    private enum Rows { case one, chosen, every }

    init(_ tensor: Tensor, for view: ActivationView, chosen: Int, at point: HookPoint) throws {
        let one = view.heads * view.width
        values = tensor
        switch tensor.count {
        case one: rows = .one
        case chosen * one: rows = .chosen
        case view.positions * one: rows = .every
        default:
            throw WhisperError(
                .invalidArgument,
                "a tensor of shape \(tensor.shape) does not fit \(point): expected \(one) values, for all positions "
                    + "alike, or \(chosen) or \(view.positions) times as many")
        }
        let count =
            switch rows {
            case .one: 1;
            case .chosen: chosen;
            case .every: view.positions
            }
        self.view =
            point.site.layout == .headsFirst
            ? ActivationView([view.heads, count, view.width], .headsFirst)
            : ActivationView([count, view.heads, view.width], .perHead)
    }

    /// Calls `body` with the index and the value of each column for the `index`-th chosen position, row `row`.
    func read(_ index: Int, _ row: Int, _ head: Int, _ body: (Int, Float) -> Void) {
        let from =
            switch rows {
            case .one: 0;
            case .chosen: index;
            case .every: row
            }
        values.withUnsafeBufferPointer { values in
            let offset = view.offset(from, head)
            for i in 0..<view.width { body(i, values[offset + i]) }
        }
    }
}

/// Normal deviates by Box and Muller's method over SplitMix64.
struct NormalNoise {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> Float {
        let radius = (-2 * log(max(uniform(), 1e-300))).squareRoot()
        return Float(radius * cos(2 * .pi * uniform()))
    }

    private mutating func uniform() -> Double {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Double((z ^ (z >> 31)) >> 11) * 0x1p-53
    }
}
