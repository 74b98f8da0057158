import Audio
import Foundation
import Kernels
import Logging
import Whisper

/// Writes what happens inside a model while it listens to a recording into a tensor file.
///
/// The recording is taken in consecutive windows of the model's own length, each padded with zeros, as
/// openai/whisper's `pad_or_trim` does. Each tensor goes to the file as soon as it is known, so memory does not grow
/// with the recording. The file appears when it is complete, or not at all.
public struct TraceService: Sendable {
    private let model: LoadedModel
    private let logger: Logger

    public init(model: LoadedModel, logger: Logger) {
        self.model = model
        self.logger = logger
    }

    /// - Parameters:
    ///   - path: the file to write, ending in `.safetensors` or `.npz`.
    ///   - progress: the windows done, and of how many.
    /// - Throws: ``WhisperError`` for an unknown hook (with the nearest names) or an intervention that makes no sense;
    ///   ``Audio/AudioError`` for what is wrong with the recording; ``FileError`` (`cannotCreate`) for `path`.
    public func trace(
        _ input: AudioInput, _ request: TraceRequest, to path: String,
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws -> TraceSummary {
        let dimensions = model.dimensions
        let plan = try TracePlan(request, dimensions)
        let decoderInput = try plan.needsDecoder ? DecoderPrompt(request, model) : nil
        let writer = try Self.writer(path)
        let samples = try SampleBuffer.read(input.source, seconds: request.seconds)
        let windows = max(1, (samples.count + dimensions.windowSamples - 1) / dimensions.windowSamples)
        let file = TraceFile(writer, windows: windows, dimensions)
        let mel = LogMel(bands: dimensions.nMels)
        var tokens: [[Int]] = []
        for index in 0..<windows {
            try Task.checkCancellation()
            progress(index, windows)
            let start = index * dimensions.windowSamples
            let part = try samples.read(start..<min(start + dimensions.windowSamples, samples.count))
            file.begin(window: index, validFrames: EncoderFrames.valid(sampleCount: part.count))
            tokens += try trace(mel.window(part, windowSamples: dimensions.windowSamples), plan, decoderInput, file)
        }
        progress(windows, windows)
        let summary = TraceSummary(
            file: input.name, model: model.name, digest: try model.digest(), duration: samples.duration,
            tensors: file.tensors, tokens: tokens)
        try file.finish(summary, request, dimensions)
        return summary
    }

    /// One window: the tokens that the decoder read, if it did.
    private func trace(
        _ mel: Tensor, _ plan: TracePlan, _ prompt: DecoderPrompt?, _ file: TraceFile
    ) throws -> [[Int]] {
        if plan.wantsLogMel { try file.append(logMel: mel, plan) }
        guard !plan.points.isEmpty else { return [] }
        let whisper = try model.model()
        let run = try HookRun(plan.hookPlan(validFrames: file.validFrames), dimensions: model.dimensions) { captured in
            try file.append(captured)
        }
        guard let audio = try whisper.encode(mel, hooks: run), let prompt else { return [] }
        let tokens = try prompt.tokens(mel, hooks: plan.hookPlan(validFrames: file.validFrames))
        _ = try whisper.decode([tokens], cache: whisper.decoderCache(audio: audio), hooks: run)
        return [tokens]
    }

    /// A writer for the format that the path's ending names.
    private static func writer(_ path: String) throws -> any TensorFileWriter {
        switch URL(fileURLWithPath: path).pathExtension.lowercased() {
        case "safetensors": return try SafetensorsWriter(path: path)
        case "npz": return try NPZWriter(path: path)
        default:
            throw ServiceError(
                .invalidArgument, "cannot tell the format of \(path): expected an ending of .safetensors or .npz")
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
        wantsLogMel = request.hooks.contains(TraceRequest.logMel)
        let patterns = request.hooks.filter { $0 != TraceRequest.logMel }
        points = Set(try patterns.flatMap { try HookPoint.matching($0, in: dimensions) })
        interventions = try request.interventions.map { try Intervention(parsing: $0, dimensions: dimensions) }
        frames = request.frames
        reduction = request.reduction
    }

    func hookPlan(validFrames: Int) -> HookPlan {
        HookPlan(
            captures: points, reduction: reduction, validFrames: frames == .valid ? validFrames : nil,
            interventions: interventions)
    }
}
