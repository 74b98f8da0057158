import Foundation

@testable import SparseAutoencoders

extension Worker {
    /// Steps of a sparse dictionary's training, as the plugin makes them; what was learned goes on in the next round.
    func dictionary(_ work: Work) throws -> WorkReply {
        let path = try needed(work.samples, "samples"), steps = try needed(work.count, "count")
        let sizes = try needed(work.sizes, "sizes"), name = try needed(work.variant, "variant")
        guard let variant = TrainingSettings.Variant(rawValue: name) else { throw BenchError("no variant '\(name)'") }
        guard sizes.count == 4, sizes.allSatisfy({ (1...1 << 20).contains($0) }), sizes[3] <= sizes[1] else {
            throw BenchError("a dictionary of the sizes \(sizes)")
        }
        if training?.variant != variant { training = try Training(sound(path), variant, sizes) }
        guard let training else { throw BenchError("there is no training") }
        return try training.run(steps)
    }

    /// A training whose whole buffer is there from the beginning.
    final class Training {
        let variant: TrainingSettings.Variant
        private var trainer: SparseTrainer

        /// - Parameter sizes: values of a position, latents, positions of a batch, k.
        init(_ positions: [Float], _ variant: TrainingSettings.Variant, _ sizes: [Int]) throws {
            guard positions.count >= sizes[0] else { throw BenchError("no activations of \(sizes[0]) values") }
            var settings = TrainingSettings()
            settings.variant = variant
            settings.hook = "bench"
            (settings.latents, settings.batch, settings.k) = (sizes[1], sizes[2], sizes[3])
            settings.sparsity = variant.penalty
            settings.buffer = positions.count / sizes[0]
            settings.passes = 0
            self.variant = variant
            trainer = SparseTrainer(settings: settings, inputs: sizes[0], seed: 1)
            try trainer.add(positions)
        }

        var steps: Int { trainer.steps }

        func run(_ steps: Int) throws -> WorkReply {
            var failure: (any Error)?
            let total = trainer.steps + steps
            var reply = WorkReply(
                seconds: seconds { do { try trainer.train(until: total) } catch { failure = error } })
            if let failure { throw failure }
            if let point = trainer.progress.points.last {
                reply.text = String(format: "explained %.3f, L0 %.1f", point.explained, point.active)
            }
            return reply
        }
    }
}
