import Kernels
import Whisper

extension Worker {
    /// The encoder, and back from the sum of its outputs to every attention pattern: all patterns and their gradients are kept to the end.
    func gradient(_ work: Work) throws -> WorkReply {
        let model = try model(), mel = try logMel(work)
        let points = Set(try HookPoint.matching("encoder.blocks.*.attn.pattern", in: model.dimensions))
        let objective = Objective.encoderSum
        let plan = GradientPlan(points: points, objectivePoints: objective.points)
        var patterns: [CapturedTensor] = [], gradients: [Gradient] = []
        let memory = PeakMemory()
        let time = try seconds {
            let run = try HookRun(
                HookPlan(captures: points, stopsEarly: false), dimensions: model.dimensions, gradients: plan
            ) { patterns.append($0) }
            _ = try model.encode(mel, hooks: run)
            _ = try model.differentiate([objective], through: run) { gradients.append($1) }
        }
        guard patterns.count == points.count, gradients.count == points.count else {
            throw BenchError("\(patterns.count) patterns and \(gradients.count) gradients of \(points.count)")
        }
        var reply = WorkReply(seconds: time)
        reply.bytes = memory?.bytesAbove
        // That of the first block, behind which all others lie.
        for case .activation(let one) in gradients where one.hook.layer == 0 {
            reply.probe = WorkReply.probe(one.tensor)
        }
        return reply
    }
}
