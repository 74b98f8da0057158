import Kernels
import Whisper

extension Worker {
    /// The encoder, and back from the sum of its outputs to every attention pattern. All patterns and their gradients are kept to the end;
    /// of the variant `passing` nothing is: each gradient goes as soon as it was seen.
    func gradient(_ work: Work) throws -> WorkReply {
        let model = try model(), mel = try logMel(work)
        let points = Set(try HookPoint.matching("encoder.blocks.*.attn.pattern", in: model.dimensions))
        let isPassing = work.variant == Work.passing
        let objective = Objective.encoderSum
        let plan = GradientPlan(points: points, objectivePoints: objective.points)
        var patterns: [CapturedTensor] = [], gradients: [CapturedTensor] = []
        // That of the first block, behind which all others lie, comes last.
        var (probe, seen): ([Float], Int) = ([], 0)
        // What another variant left for the next pass is not this one's.
        if lastGradient != work.variant { FloatMemory.trim() }
        lastGradient = work.variant
        let memory = PeakMemory()
        let time = try seconds {
            let run = try HookRun(
                HookPlan(captures: isPassing ? [] : points, stopsEarly: false), dimensions: model.dimensions,
                gradients: plan
            ) { patterns.append($0) }
            _ = try model.encode(mel, hooks: run)
            _ = try model.differentiate([objective], through: run) { _, gradient in
                guard case .activation(let one) = gradient else { return }
                (probe, seen) = (WorkReply.probe(one.tensor), seen + 1)
                if !isPassing { gradients.append(one) }
            }
        }
        guard seen == points.count, isPassing || patterns.count == seen && gradients.count == seen else {
            throw BenchError("\(patterns.count) patterns and \(seen) gradients of \(points.count)")
        }
        var reply = WorkReply(seconds: time)
        reply.bytes = memory?.bytesAbove
        reply.probe = probe
        return reply
    }
}
