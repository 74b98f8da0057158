import Kernels
import Whisper

extension TraceService {
    /// The windows of a transcript: what is captured is captured in the passes that wrote it.
    /// - Returns: seconds of audio.
    func traceTranscript(
        _ input: AudioInput, _ request: TraceRequest, _ options: TranscribeOptions, _ plan: TracePlan,
        _ record: TraceRecord, _ progress: (_ done: Int, _ total: Int) throws -> Void
    ) throws -> Double {
        var wanted = TranscriptionRequest()
        wanted.options = options
        wanted.prepared = plan.pass.interventions
        wanted.seconds = request.seconds
        wanted.padding = request.usedPadding
        let transcripts = try TranscribeService(model: model, wanted, logger: logger)
        try record.begin(windows: nil)
        return try withoutActuallyEscaping(progress) { progress in
            let passes = TracedPasses(service: self, plan: plan, record: record, progress: progress)
            let transcript = try transcripts.transcribe(input, turn: record.turn, passes: passes)
            try progress(record.windowStarts.count, record.windowStarts.count)
            record.notices = transcript.notices
            return transcript.duration
        }
    }
}

/// The passes of a transcription that are looked into. The decoder reads what the transcript took from a window once more, in one
/// pass, in which every token has its captures.
private struct TracedPasses: TranscriptionPasses {
    let service: TraceService
    let plan: TracePlan
    let record: TraceRecord
    let progress: (_ done: Int, _ total: Int) throws -> Void
    private let last = LastPass()

    private final class LastPass {
        var pass: WindowPass?
        var window: TraceWindow?
    }

    init(
        service: TraceService, plan: TracePlan, record: TraceRecord,
        progress: @escaping (_ done: Int, _ total: Int) throws -> Void
    ) {
        (self.service, self.plan, self.record, self.progress) = (service, plan, record, progress)
    }

    func encode(_ mel: Tensor, _ span: WindowSpan?) throws -> Tensor {
        let model = try service.model.model()
        guard let span else {
            return try WindowPass(model, mel, .transcribing(plan.pass.interventions), validFrames: nil).audio
        }
        let index = record.windowStarts.count
        try record.turn?.checkpoint()
        try progress(index, 0)
        let window = TraceWindow(index: index, span)
        let pass = try service.pass(mel, window, plan, record)
        (last.pass, last.window) = (pass, window)
        guard let pass else { throw ServiceError(.failedPrecondition, "a transcript needs the encoder's output") }
        return try pass.audio
    }

    func wrote(_ tokens: [Int], after prompt: [Int]) throws {
        // The last token that fills the context is written, and read by nobody.
        let read = tokens.isEmpty ? [] : Array((prompt + tokens).prefix(service.model.dimensions.nTextCtx))
        record.read(read, prompt: min(prompt.count, read.count))
        if !read.isEmpty { try last.pass?.read(read) }
        // An objective in the decoder needs tokens; one in the encoder does not.
        if let pass = last.pass, let window = last.window, !read.isEmpty || !plan.pass.readsDecoder {
            try service.differentiate(
                pass, window, plan, record, tokens: read, prompt: min(prompt.count, read.count))
        } else {
            service.skipDifferentiation(plan, record)
        }
        last.pass = nil
    }
}
