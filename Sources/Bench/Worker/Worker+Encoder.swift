import Audio
import Kernels
import Mel
import Whisper

extension Worker {
    /// The whole encoder, to its output. What is captured is kept to the end, as somebody who wants it would.
    func encode(_ work: Work) throws -> WorkReply {
        let model = try model(work.variant.flatMap(Precision.init) ?? .exact), mel = try logMel(work)
        let points = try captured(work, model.dimensions)
        var kept: [CapturedTensor] = []
        kept.reserveCapacity(points.count)
        var output: Tensor?
        let time = try seconds {
            let plan = HookPlan(captures: points, stopsEarly: false)
            let run = try HookRun(plan, dimensions: model.dimensions) { kept.append($0) }
            output = try model.encode(mel, hooks: run)
        }
        guard let output, kept.count == points.count else {
            throw BenchError("the run stopped with \(kept.count) of \(points.count) captures")
        }
        var reply = WorkReply(seconds: time)
        reply.probe = WorkReply.probe(output)
        return reply
    }

    private func captured(_ work: Work, _ dimensions: ModelDimensions) throws -> Set<HookPoint> {
        let patterns = work.hooks ?? Self.patterns(work.capture ?? .none)
        return try patterns.reduce(into: []) { try $0.formUnion(HookPoint.matching($1, in: dimensions)) }
    }

    private static func patterns(_ capture: Work.Capture) -> [String] {
        switch capture {
        case .none: []
        case .residual: ["encoder.blocks.*", "encoder.blocks.*.mlp.1"]
        case .patterns: patterns(.residual) + ["encoder.blocks.*.attn.pattern"]
        }
    }

    /// The log-mel of samples, on one thread or many as the module has it.
    func mel(_ work: Work) throws -> WorkReply {
        let samples = try sound(needed(work.samples, "samples"))
        let mel = LogMel(bands: work.bands ?? 80)
        var spectrogram: Tensor?
        let time = seconds { spectrogram = mel.spectrogram(samples) }
        var reply = WorkReply(seconds: time)
        reply.probe = spectrogram.map(WorkReply.probe)
        return reply
    }
}
