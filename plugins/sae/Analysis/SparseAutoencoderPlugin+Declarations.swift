import PluginKit

extension SparseAutoencoderPlugin {
    static let parameters: [Parameter] = [
        .text("hook", default: "encoder.blocks.2", "One hook point with positions first"),
        .choice(
            "variant", default: "batchtopk", of: TrainingSettings.Variant.allCases.map(\.rawValue),
            "How codes are made sparse"),
        .choice(
            "preset", default: "none", of: ["none", "post"],
            "post: as in 'Interpreting OpenAI's Whisper' (2023): tied weights, ReLU, 200 latents, L1"),
        .integer(
            "latents", default: 0, in: 0...1 << 20,
            "Latents; 0 for eight times the width of the hook point, or the preset's"),
        .integer("k", default: 32, in: 1...1 << 20, "Active latents a position: exact, or for JumpReLU aimed at"),
        .number("sparsity", default: 0, in: 0...1e6, "Weight of L1, or of JumpReLU's (L0/k - 1)^2; 0 for 1.5 and 1"),
        .number("aux", default: 0.03125, in: 0...1000, "Weight of the loss that brings dead latents back"),
        .integer(
            "dead_after", default: 50_000, in: 1...1 << 40, "Positions without a code after which a latent is dead"),
        .number("bandwidth", default: 0.5, in: 1e-6...1000, "Of the gradient of JumpReLU's thresholds"),
        .number("lr", default: 0.001, in: 1e-9...1, "Adam's learning rate"),
        .integer("warm_up", default: 0, in: 0...1 << 30, "Steps until the learning rate is whole"),
        .integer("batch", default: 512, in: 1...65_536, "Positions in a step"),
        .integer("buffer", default: 32_768, in: 2...1 << 20, "Positions in the shuffle buffer"),
        .number("passes", default: 4, in: 0...10_000, "How often a position is drawn, on average"),
        .integer(
            "steps", default: 0, in: 0...1 << 30,
            "At least so many steps, evenly over the recordings after the first full buffer"),
        .integer(
            "evaluate", default: 8, in: 0...64,
            "Recordings kept from training to judge by: every second of the first ones"),
        .path("out", "Folder for the dictionary; by default one in the plugin's own folder"),
    ]

    static let outputs: [Output] = [
        .vector("loss", title: "Loss", axis: Axis("step"), "Residual through the mean square, with all penalties"),
        .vector("l0", title: "Active latents", axis: Axis("step"), "A position"),
        .vector("explained", title: "Explained variance", axis: Axis("step"), "1 - residual / variance of the batch"),
        .vector("dead", title: "Dead latents", unit: "share", axis: Axis("step")),
        .vector("density", title: "Density of latents", unit: "latents", axis: Axis("log10 of density"), plot: .bar),
        .table(
            "summary", title: "The dictionary", "Measured after training, on its last buffer and on kept recordings"),
        .table("splice", title: "Spliced in", "Cross-entropy (nats a token) and word error rate, on kept recordings"),
        .table("recordings", title: "Kept recordings", "What is written: clean, spliced, zero-ablated"),
        .text("method", title: "What was done"),
    ]
}

extension TrainingSettings {
    init(_ arguments: Arguments) throws {
        hook = try arguments.text("hook")
        guard !hook.isEmpty else { throw PluginError(.invalidArgument, "hook is empty, expected a hook point") }
        guard let variant = Variant(rawValue: try arguments.choice("variant")) else {
            throw PluginError(.invalidArgument, "variant is not one of the declared choices")
        }
        self.variant = variant
        latents = try arguments.integer("latents")
        if try arguments.choice("preset") == "post" {
            // A host fills in what was not given, so that the defaults are what nobody asked for.
            guard variant == .l1 || variant == .batchTopK else {
                throw PluginError(.invalidArgument, "preset post is of variant l1, and variant is \(variant.rawValue)")
            }
            self.variant = .l1
            isTied = true
            if latents == 0 { latents = 200 }
        }
        k = try arguments.integer("k")
        sparsity = Float(try arguments.number("sparsity"))
        if sparsity == 0 { sparsity = self.variant.penalty }
        auxiliary = Float(try arguments.number("aux"))
        deadAfter = try arguments.integer("dead_after")
        bandwidth = Float(try arguments.number("bandwidth"))
        learningRate = Float(try arguments.number("lr"))
        warmUp = try arguments.integer("warm_up")
        batch = try arguments.integer("batch")
        buffer = try arguments.integer("buffer")
        passes = try arguments.number("passes")
    }
}
