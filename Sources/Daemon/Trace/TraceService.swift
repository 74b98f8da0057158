import Kernels
import Logging
import Whisper

/// Where the tensors of a trace go. One trace uses it, on one thread; its first error ends the trace.
public protocol TraceSink: AnyObject {
    /// Before all else.
    /// - Parameter windows: nil where nobody knows yet how many there will be.
    func begin(windows: Int?) throws
    /// A tensor, as soon as it is known.
    func append(_ description: TracedTensor, _ tensor: Tensor) throws
    /// After the last tensor. Without it nothing may be left behind.
    func finish(_ summary: TraceSummary) throws
}

/// Takes down what happens inside a model while it listens to a recording.
///
/// The recording is taken in consecutive windows of the model's own length, or in the very windows of its transcript. Each tensor goes to the
/// sink as soon as it is known, so memory does not grow with the recording.
public struct TraceService: Sendable {
    let model: LoadedModel
    let logger: Logger

    public init(model: LoadedModel, logger: Logger) {
        self.model = model
        self.logger = logger
    }

    /// Into a file, which appears when it is complete, or not at all.
    /// - Parameters:
    ///   - path: the file to write, ending in `.safetensors` or `.npz`.
    ///   - progress: the windows done, and of how many; 0 where nobody knows.
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
    ///   - progress: the windows done, and of how many; 0 where nobody knows.
    /// - Throws: ``WhisperError`` for an unknown hook (with the nearest names) or an intervention that makes no sense;
    ///   ``Audio/AudioError`` for what is wrong with the recording; what `sink`, `turn` and `progress` throw.
    public func trace(
        _ input: AudioInput, _ request: TraceRequest, into sink: some TraceSink, turn: EngineTurn? = nil,
        progress: (_ done: Int, _ total: Int) throws -> Void = { _, _ in }
    ) throws -> TraceSummary {
        let plan = try heardPlan(input, request, turn)
        if !plan.objectives.isEmpty, let refusal = model.precision.gradientRefusal {
            throw ServiceError(.failedPrecondition, refusal)
        }
        var request = request
        request.decoderInput = plan.decoderInput
        let record = TraceRecord(sink, turn)
        let duration =
            try request.transcript.map { try traceTranscript(input, request, $0, plan, record, progress) }
            ?? traceWindows(input, request, plan, record, progress)
        // Of a large file it takes a while, the first time.
        let digest = try turn.map { turn in try turn.suspended { try model.digest() } } ?? model.digest()
        let summary = TraceSummary(
            file: input.name, model: model.name, digest: digest, precision: model.precision,
            padding: request.usedPadding, duration: duration, tensors: record.tensors, tokens: record.tokens,
            promptTokens: record.promptTokens, windowStarts: record.windowStarts, notices: record.notices,
            objectives: plan.objectives.enumerated().map { index, objective in
                ObjectiveValues(text: objective.text, values: record.values.map { $0[index] })
            })
        try sink.finish(summary)
        return summary
    }

    /// The plan, when all that its interventions are made of was heard.
    private func heardPlan(_ input: AudioInput, _ request: TraceRequest, _ turn: EngineTurn?) throws -> TracePlan {
        let plan = try TracePlan(request, model.dimensions)
        guard !request.interventions.isEmpty else { return plan }
        var options = request.transcript ?? TranscribeOptions()
        if request.transcript == nil {
            options.decoding.language = request.language
            options.decoding.task = request.task
        }
        let sources = InterventionSources(
            model: model, turn: turn, padding: request.usedPadding, transcript: options,
            knowsTokens: request.transcript != nil
        ) { try input.samples(seconds: request.seconds, turn: turn) }
        return try TracePlan(request, model.dimensions, sources.material)
    }

    /// Consecutive windows.
    /// - Returns: seconds of audio.
    private func traceWindows(
        _ input: AudioInput, _ request: TraceRequest, _ plan: TracePlan, _ record: TraceRecord,
        _ progress: (_ done: Int, _ total: Int) throws -> Void
    ) throws -> Double {
        let dimensions = model.dimensions
        let prompt = try plan.pass.readsDecoder ? DecoderPrompt(request, model) : nil
        let samples = try input.samples(seconds: request.seconds, turn: record.turn)
        record.notices = samples.notices
        let source = WindowSource(dimensions, context: request.context, padding: request.usedPadding)
        let windows = try source.windows(of: samples)
        try record.begin(windows: windows.count)
        for index in 0..<windows.count {
            try Task.checkCancellation()
            try record.turn?.checkpoint()
            try progress(index, windows.count)
            let sound = try windows[index]
            let window = TraceWindow(sound, of: windows.count, dimensions)
            guard let pass = try pass(windows.mel(of: sound), window, plan, record) else { continue }
            var tokens: [Int] = []
            if let prompt {
                tokens = try pass.tokens(of: prompt, turn: record.turn)
                try pass.read(tokens)
                record.read(tokens)
            }
            try differentiate(pass, window, plan, record, tokens: tokens, prompt: prompt?.promptCount(tokens) ?? 0)
        }
        try progress(windows.count, windows.count)
        return samples.duration
    }

    /// The pass over one window; nil where nothing but its log-mel is wanted.
    func pass(
        _ mel: Tensor, _ window: TraceWindow, _ plan: TracePlan, _ record: TraceRecord
    ) throws -> WindowPass? {
        record.windowStarts.append(window.start)
        if plan.wantsLogMel {
            let (description, tensor) = window.logMel(mel, plan.pass)
            try record.append(description, tensor)
        }
        guard !plan.pass.captures.isEmpty || plan.pass.keepsAudio || plan.pass.gradients != nil else { return nil }
        return try WindowPass(
            model.model(), mel, plan.pass, start: window.firstMelFrame, validFrames: window.validFrames
        ) { captured in
            try record.append(window.description(of: captured), captured.tensor)
        }
    }
}
