import Audio
import Foundation
import Kernels
import Logging
import Whisper

/// Where the tensors of a trace go. One trace uses it, on one thread; its first error ends the trace.
public protocol TraceSink: AnyObject {
    /// Before all else.
    func begin(windows: Int) throws
    /// A tensor, as soon as it is known.
    func append(_ description: TracedTensor, _ tensor: Tensor) throws
    /// After the last tensor. Without it nothing may be left behind.
    func finish(_ summary: TraceSummary) throws
}

/// Takes down what happens inside a model while it listens to a recording.
///
/// The recording is taken in consecutive windows of the model's own length, each padded with zeros, as
/// openai/whisper's `pad_or_trim` does. Each tensor goes to the sink as soon as it is known, so memory does not grow
/// with the recording.
public struct TraceService: Sendable {
    private let model: LoadedModel
    private let logger: Logger

    public init(model: LoadedModel, logger: Logger) {
        self.model = model
        self.logger = logger
    }

    /// Into a file, which appears when it is complete, or not at all.
    /// - Parameters:
    ///   - path: the file to write, ending in `.safetensors` or `.npz`.
    ///   - progress: the windows done, and of how many.
    /// - Throws: as ``trace(_:_:into:turn:progress:)``; ``Files/FileError`` (`cannotCreate`) for `path`.
    public func trace(
        _ input: AudioInput, _ request: TraceRequest, to path: String, turn: EngineTurn? = nil,
        progress: (_ done: Int, _ total: Int) throws -> Void = { _, _ in }
    ) throws -> TraceSummary {
        // What makes no sense is told before a file is touched.
        _ = try TracePlan(request, model.dimensions)
        let file = try TraceFile(path, request, model.dimensions)
        var summary = try trace(input, request, into: file, turn: turn, progress: progress)
        summary.output = path
        return summary
    }

    /// - Parameters:
    ///   - turn: the engine's, where it is shared: handed over between windows, tensors and tokens, and while the
    ///     recording is read. Without one, the task's cancellation ends the work.
    ///   - progress: the windows done, and of how many.
    /// - Throws: ``WhisperError`` for an unknown hook (with the nearest names) or an intervention that makes no sense;
    ///   ``Audio/AudioError`` for what is wrong with the recording; what `sink`, `turn` and `progress` throw.
    public func trace(
        _ input: AudioInput, _ request: TraceRequest, into sink: some TraceSink, turn: EngineTurn? = nil,
        progress: (_ done: Int, _ total: Int) throws -> Void = { _, _ in }
    ) throws -> TraceSummary {
        let dimensions = model.dimensions
        let plan = try TracePlan(request, dimensions)
        let decoderInput = try plan.needsDecoder ? DecoderPrompt(request, model) : nil
        let samples = try input.samples(seconds: request.seconds, turn: turn)
        let windows = max(1, (samples.count + dimensions.windowSamples - 1) / dimensions.windowSamples)
        try sink.begin(windows: windows)
        var tensors: [TracedTensor] = []
        var tokens: [[Int]] = []
        for index in 0..<windows {
            try Task.checkCancellation()
            try turn?.checkpoint()
            try progress(index, windows)
            let start = index * dimensions.windowSamples
            let part = try samples.read(start..<min(start + dimensions.windowSamples, samples.count))
            let window = TraceWindow(
                index: index, of: windows, validFrames: EncoderFrames.valid(sampleCount: part.count), dimensions)
            tokens += try trace(
                request.context.mel(part, dimensions), window, plan, decoderInput, turn
            ) { description, tensor in
                tensors.append(description)
                try sink.append(description, tensor)
                try turn?.checkpoint()
            }
        }
        try progress(windows, windows)
        // Of a large file it takes a while, the first time.
        let digest = try turn.map { turn in try turn.suspended { try model.digest() } } ?? model.digest()
        let summary = TraceSummary(
            file: input.name, model: model.name, digest: digest, precision: model.precision, duration: samples.duration,
            tensors: tensors, tokens: tokens, windows: windows)
        try sink.finish(summary)
        return summary
    }

    /// One window: the tokens that the decoder read, if it did.
    private func trace(
        _ mel: Tensor, _ window: TraceWindow, _ plan: TracePlan, _ prompt: DecoderPrompt?, _ turn: EngineTurn?,
        append: (TracedTensor, Tensor) throws -> Void
    ) throws -> [[Int]] {
        if plan.wantsLogMel {
            let (description, tensor) = window.logMel(mel, plan)
            try append(description, tensor)
        }
        guard !plan.points.isEmpty else { return [] }
        let whisper = try model.model()
        let hooks = plan.hookPlan(validFrames: window.validFrames)
        return try withoutActuallyEscaping(append) { append in
            let run = try HookRun(hooks, dimensions: model.dimensions) { captured in
                try append(window.description(of: captured), captured.tensor)
            }
            guard let audio = try whisper.encode(mel, hooks: run), let prompt else { return [] }
            let tokens = try prompt.tokens(mel, hooks: hooks, turn: turn)
            _ = try whisper.decode([tokens], cache: whisper.decoderCache(audio: audio), hooks: run)
            return [tokens]
        }
    }
}

/// A request, checked against the model.
struct TracePlan {
    let wantsLogMel: Bool
    let points: Set<HookPoint>
    let interventions: [Intervention]
    let frames: TraceRequest.Frames
    let reduction: Reduction

    var needsDecoder: Bool { points.contains { !$0.isEncoder } }

    init(_ request: TraceRequest, _ dimensions: ModelDimensions) throws {
        guard !request.hooks.isEmpty else { throw ServiceError(.invalidArgument, "a trace needs at least one hook") }
        guard request.hooks.count <= 4096 else {
            throw ServiceError(.invalidArgument, "a trace of \(request.hooks.count) hooks; expected at most 4096")
        }
        wantsLogMel = request.hooks.contains(TraceRequest.logMel)
        let patterns = request.hooks.filter { $0 != TraceRequest.logMel }
        points = Set(try patterns.flatMap { try HookPoint.matching($0, in: dimensions) })
        interventions = try request.interventions.map { try $0.intervention(dimensions) }
        frames = request.frames
        reduction = request.reduction
    }

    func hookPlan(validFrames: Int) -> HookPlan {
        HookPlan(
            captures: points, reduction: reduction, validFrames: frames == .valid ? validFrames : nil,
            interventions: interventions)
    }
}
