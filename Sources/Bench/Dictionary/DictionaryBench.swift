import Foundation

/// Training a sparse dictionary of tiny's width, beside PyTorch on the same activations: steps of the same batch, all that belongs
/// to a step on both sides (drawing the batch, loss, gradients, Adam, directions of length 1).
struct DictionaryBench {
    let session: Session

    private enum Size {
        static let width = 384, latents = 3072, batch = 512, k = 32
        static let positions = 8192
    }

    func run() throws {
        let cast = Cast(session, nil)
        defer { cast.close() }
        let path = "\(session.folder)/activations.f32"
        try FloatFile.write(Self.activations(), to: path)
        for threads in try session.options.threadCounts {
            for variant in session.options.quick ? ["batchtopk"] : ["batchtopk", "topk", "jumprelu", "l1"] {
                try compare(cast, path, variant, threads)
            }
        }
    }

    private func compare(_ cast: Cast, _ path: String, _ variant: String, _ threads: Int) throws {
        let steps = session.options.quick ? 4 : 16
        var work = Work(.dictionary)
        (work.samples, work.variant, work.count, work.threads) = (path, variant, steps, threads)
        work.sizes = [Size.width, Size.latents, Size.batch, Size.k]
        var entries = cast.ours(threads: threads).map {
            Rounds.Entry($0.name, $0, work, reference: "PyTorch", pieces: Double(steps))
        }
        if let torch = cast.peer("openai-whisper") {
            entries.append(Rounds.Entry("PyTorch", torch, work, pieces: Double(steps)))
            if variant == "topk" {
                // The decoder as a sum of the k directions instead of a product with zeros.
                work.variant = "topk sparse"
                entries.append(
                    Rounds.Entry(
                        "PyTorch, embedding_bag", torch, work, reference: "PyTorch", pieces: Double(steps)))
            }
        }
        guard !entries.isEmpty else { return }
        let outcomes = session.rounds(session.peak(threads: threads), threads: threads).run(entries)
        session.report.add(
            Table(
                "sae: a step of \(variant), \(Size.width) → \(Size.latents), batch \(Size.batch), k \(Size.k), "
                    + (threads == 1 ? "1 thread" : "\(threads) threads"),
                rows: outcomes.measurements(note: { $0.first?.text ?? "" })))
    }

    /// Sums of thirty of 4,000 directions with a mean and a little noise, as activations are; the same every time.
    private static func activations() -> [Float] {
        var state: UInt64 = 7
        func uniform() -> Float {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(state >> 40) / Float(1 << 24)
        }
        // Sums of uniform numbers point almost evenly in all directions.
        func around() -> Float { uniform() + uniform() + uniform() - 1.5 }
        let directions = (0..<4000 * Size.width).map { _ in around() / 10 }
        let mean = (0..<Size.width).map { _ in 2 * around() }
        var values: [Float] = []
        values.reserveCapacity(Size.positions * Size.width)
        for _ in 0..<Size.positions {
            var position = mean.map { $0 + 0.05 * around() }
            for _ in 0..<30 {
                let at = Int(uniform() * 4000) % 4000 * Size.width, size = -log(max(uniform(), 1e-6))
                for i in position.indices { position[i] += size * directions[at + i] }
            }
            values += position
        }
        return values
    }
}
