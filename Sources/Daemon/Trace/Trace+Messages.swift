import Kernels
import Messages
import Whisper

extension TraceRequest {
    /// What a message asks for.
    /// - Throws: ``ServiceError`` (`invalidArgument`).
    init(_ message: V1.TraceRequest, seconds: Range<Double>?) throws {
        self.init(hooks: message.hooks)
        switch message.frames {
        case .valid: frames = .valid
        case .all: frames = .all
        default: throw ServiceError(.invalidArgument, "there is no choice of frames \(message.frames.rawValue)")
        }
        switch message.reduction {
        case .none: reduction = .none
        case .max: reduction = .max
        case .mean: reduction = .mean
        default: throw ServiceError(.invalidArgument, "there is no reduction \(message.reduction.rawValue)")
        }
        interventions = try InterventionSpec.all(message.interventions)
        objectives = message.objectives.map(\.text)
        self.seconds = seconds
        switch message.decoderInput {
        case .text(let text)?: decoderInput = .text(text)
        case .transcript(let options)?: transcript = try TranscribeOptions(options)
        case .tokens(let tokens)?: decoderInput = .tokens(tokens.ids.map { Int($0) })
        case nil: decoderInput = .greedy
        }
        context = try EncoderContext(message.context)
        padding = try WindowPadding(message.padding)
        language = message.language.language
        task = try SpeechTask(message.task)
    }
}

extension V1.TensorHeader {
    /// - Parameter tensor: of which the header speaks.
    init(_ description: TracedTensor, _ tensor: Tensor) {
        self.init(description)
        byteCount = UInt64(tensor.count * MemoryLayout<Float>.size)
    }

    init(_ description: TracedTensor) {
        var first: FirstPosition?
        if let frame = description.firstFrame { first = .firstFrame(UInt64(clamping: frame)) }
        if let token = description.firstToken { first = .firstToken(UInt64(clamping: token)) }
        self.init(
            name: description.name, hook: description.hook, window: UInt32(clamping: description.window),
            dtype: .f32, shape: description.shape.map { UInt64(clamping: $0) }, axes: description.axes,
            firstPosition: first, framesPerSecond: description.framesPerSecond,
            validFrames: description.validFrames.map { UInt64(clamping: $0) },
            byteCount: UInt64(clamping: description.shape.reduce(1, *) * MemoryLayout<Float>.size),
            objective: UInt32(clamping: description.objective ?? 0))
    }
}

extension V1.TraceSummary {
    init(_ summary: TraceSummary, memory: V1.SharedMemory? = nil) {
        self.init(
            file: summary.file, model: summary.model, modelSha256: summary.digest, duration: summary.duration,
            tensors: summary.tensors.map { V1.TensorHeader($0) },
            tokens: summary.tokens.map { V1.TokenSequence(ids: $0.map { Int32(clamping: $0) }) },
            windows: UInt32(clamping: summary.windows), outputFile: summary.output ?? "", memory: memory,
            precision: summary.precision.message, padding: summary.padding.message,
            windowStarts: summary.windowStarts, promptTokens: summary.promptTokens.map { UInt32(clamping: $0) },
            notices: summary.notices.map(V1.Notice.init),
            objectives: summary.objectives.map { V1.ObjectiveValues(text: $0.text, values: $0.values) })
    }
}
