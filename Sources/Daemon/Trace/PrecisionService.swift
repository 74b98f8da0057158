import Audio
import Kernels
import Whisper

/// How far the values at a hook point are from the exact ones.
public struct HookError: Sendable, Equatable {
    public let hook: String
    /// ‖value − exact‖₂ / ‖exact‖₂.
    public let relative: Double
    /// The largest difference of one value.
    public let largest: Double
}

/// Measures what a precision costs: a recording goes through the same checkpoint in two precisions, and what both have at every
/// hook point is compared.
///
/// Captures of one model are kept and those of the other compared as they come, a group of hook points at a time, so that
/// memory stays bounded: patterns of a window of 30 s are 54 MB a layer of the smallest Whisper.
public struct PrecisionService: Sendable {
    private let exact: LoadedModel
    private let model: LoadedModel
    /// Elements that are kept at a time, at least one hook point's.
    private static let groupElements = 1 << 26

    /// - Throws: ``ServiceError`` (`invalidArgument`) where there is nothing to compare.
    public init(_ model: LoadedModel, exact: LoadedModel) throws {
        guard exact.precision == .exact, model.precision != .exact else {
            throw ServiceError(
                .invalidArgument,
                "a model's precision is compared with exact; expected int8 or bf16, not \(model.precision.rawValue)")
        }
        (self.model, self.exact) = (model, exact)
    }

    /// The errors at the hook points that patterns name, all where there are none, in the order of the forward pass.
    /// - Throws: ``WhisperError`` for an unknown hook; ``Audio/AudioError``; what `turn` throws.
    public func errors(
        _ input: AudioInput, hooks patterns: [String] = [], seconds: Range<Double>? = nil, turn: EngineTurn? = nil
    ) throws -> [HookError] {
        let dimensions = exact.dimensions
        let wanted = try Set(
            (patterns.isEmpty ? ["*"] : patterns).flatMap { try HookPoint.matching($0, in: dimensions) })
        let points = HookPoint.all(in: dimensions).filter(wanted.contains)
        let prompt =
            try points.contains { !$0.isEncoder } ? DecoderPrompt(TraceRequest(hooks: []), exact) : nil
        let samples = try input.samples(seconds: seconds, turn: turn)
        let windows = try WindowSource(dimensions).windows(of: samples)
        var sums: [HookPoint: ErrorSum] = [:]
        for index in 0..<windows.count {
            let window = try windows[index]
            let mel = try windows.mel(of: window)
            // What the exact model writes in its first pass, both read.
            var tokens: [Int]?
            for group in groups(points) {
                try Task.checkCancellation()
                try turn?.checkpoint()
                var kept: [HookPoint: Tensor] = [:]
                let first = try pass(exact, mel, group, window, keepsAudio: prompt != nil && tokens == nil) {
                    kept[$0.hook] = $0.tensor
                }
                if let prompt, tokens == nil { tokens = try first.tokens(of: prompt, turn: turn) }
                if let tokens { try first.read(tokens) }
                try turn?.checkpoint()
                let second = try pass(model, mel, group, window) {
                    guard let reference = kept.removeValue(forKey: $0.hook) else { return }
                    sums[$0.hook, default: ErrorSum()].add($0.tensor, reference)
                }
                if let tokens { try second.read(tokens) }
            }
        }
        return points.compactMap { point in
            sums[point].map { HookError(hook: point.name, relative: $0.relative, largest: $0.largest) }
        }
    }

    /// Points in their order, as many together as may be kept.
    private func groups(_ points: [HookPoint]) -> [Set<HookPoint>] {
        var groups: [Set<HookPoint>] = []
        var room = 0
        for point in points {
            let count = point.shape(in: exact.dimensions, tokens: exact.dimensions.nTextCtx).reduce(1, *)
            if groups.isEmpty || count > room {
                groups.append([])
                room = Self.groupElements
            }
            groups[groups.count - 1].insert(point)
            room -= count
        }
        return groups
    }

    private func pass(
        _ model: LoadedModel, _ mel: Tensor, _ points: Set<HookPoint>, _ window: SoundWindow,
        keepsAudio: Bool = false, _ sink: @escaping (CapturedTensor) throws -> Void
    ) throws -> WindowPass {
        try WindowPass(
            model.model(), mel, PassPlan(captures: points, keepsAudio: keepsAudio), validFrames: window.validFrames,
            sink: sink)
    }
}

/// Differences of many values, summed.
private struct ErrorSum {
    private var squares = 0.0
    private var exactSquares = 0.0
    private(set) var largest = 0.0

    mutating func add(_ tensor: Tensor, _ exact: Tensor) {
        tensor.withUnsafeBufferPointer { values in
            exact.withUnsafeBufferPointer { exact in
                for (value, exact) in zip(values, exact) where value != exact || exact.isFinite {
                    let difference = Double(value) - Double(exact)
                    squares += difference * difference
                    exactSquares += Double(exact) * Double(exact)
                    if !(difference.magnitude <= largest) { largest = difference.magnitude }
                }
            }
        }
    }

    var relative: Double {
        if squares == 0 { return 0 }
        return (squares / exactSquares).squareRoot()
    }
}
