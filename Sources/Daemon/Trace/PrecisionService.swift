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
        var sums: [HookPoint: ErrorSum] = [:]
        for start in stride(from: 0, to: max(1, samples.count), by: dimensions.windowSamples) {
            let part = try samples.read(start..<min(start + dimensions.windowSamples, samples.count))
            let mel = EncoderContext.full.mel(part, dimensions)
            let tokens = try prompt?.tokens(mel, hooks: HookPlan(), turn: turn)
            let frames = min(EncoderFrames.valid(sampleCount: part.count), dimensions.nAudioCtx)
            for group in groups(points) {
                try Task.checkCancellation()
                try turn?.checkpoint()
                var kept: [HookPoint: Tensor] = [:]
                try run(exact, mel, tokens, group, frames) { kept[$0.hook] = $0.tensor }
                try turn?.checkpoint()
                try run(model, mel, tokens, group, frames) {
                    guard let reference = kept.removeValue(forKey: $0.hook) else { return }
                    sums[$0.hook, default: ErrorSum()].add($0.tensor, reference)
                }
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

    private func run(
        _ model: LoadedModel, _ mel: Tensor, _ tokens: [Int]?, _ points: Set<HookPoint>, _ frames: Int,
        _ body: @escaping (CapturedTensor) throws -> Void
    ) throws {
        let whisper = try model.model()
        let run = try HookRun(
            HookPlan(captures: points, validFrames: frames), dimensions: model.dimensions, sink: body)
        guard let audio = try whisper.encode(mel, hooks: run), let tokens, points.contains(where: { !$0.isEncoder })
        else { return }
        _ = try whisper.decode([tokens], cache: whisper.decoderCache(audio: audio), hooks: run)
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
