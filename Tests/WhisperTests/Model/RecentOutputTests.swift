import Kernels
import Testing
import Whisper

/// What is changed behind the encoder needs no further pass over a sound that was heard.
@Suite struct RecentOutputTests {
    /// The output, and what was captured, of a model that has heard nothing before.
    private func fresh(_ mel: Tensor, _ interventions: [String]) throws -> Tensor? {
        try output(SyntheticModel.make(), mel, interventions)
    }

    private func output(
        _ model: WhisperModel, _ mel: Tensor, _ interventions: [String], captures: [String] = []
    ) throws -> Tensor? {
        let plan = HookPlan(
            captures: Set(try captures.flatMap { try HookPoint.matching($0, in: model.dimensions) }),
            interventions: try interventions.map { try Intervention(parsing: $0, dimensions: model.dimensions) },
            stopsEarly: false)
        return try model.encode(mel, hooks: HookRun(plan, dimensions: model.dimensions))
    }

    @Test(
        "changes of the encoder's output and of the decoder share one pass, and the numbers are those of a pass of their own"
    )
    func shared() throws {
        let model = try SyntheticModel.make()
        let sound = SyntheticModel.mel(seed: 5), other = SyntheticModel.mel(seed: 6)
        let changes = [
            (["encoder.ln_post substitute-padding 20:50"], 2), (["encoder.ln_post substitute-padding 0:10"], 0),
            (["encoder.ln_post @frames 5:9 = zero", "encoder.ln_post @neurons 3 = scale 2"], 0),
            (["decoder.blocks.0.attn.z @heads 1 = zero"], 0), (["encoder.ln_post = mean"], 0),
        ]
        for (interventions, passes) in changes {
            let before = model.encoderPasses
            let shared = try output(model, sound, interventions)
            #expect(model.encoderPasses - before == passes, "\(interventions)")
            #expect(shared?.elements == (try fresh(sound, interventions))?.elements, "\(interventions)")
        }
        // Another sound is another's, and the first is still there.
        for (mel, passes) in [(other, 1), (sound, 0), (other, 0)] {
            let before = model.encoderPasses
            let changed = try output(model, mel, ["encoder.ln_post @frames 0:4 = zero"])
            #expect(model.encoderPasses - before == passes)
            #expect(changed?.elements == (try fresh(mel, ["encoder.ln_post @frames 0:4 = zero"]))?.elements)
        }
    }

    @Test(
        "what is changed or asked for inside the encoder is computed each time, and so is a pass without changes",
        arguments: [
            (["encoder.blocks.1.mlp = zero"], []), (["encoder.ln_post = zero"], ["encoder.blocks.2"]), ([], []),
            (["encoder.blocks.0.attn.z @heads 1 @to encoder.ln_post = zero"], []),
        ] as [([String], [String])])
    func computed(interventions: [String], captures: [String]) throws {
        let model = try SyntheticModel.make()
        let mel = SyntheticModel.mel()
        _ = try output(model, mel, ["encoder.ln_post = scale 2"])
        for _ in 0..<2 {
            let before = model.encoderPasses
            _ = try output(model, mel, interventions, captures: captures)
            #expect(model.encoderPasses - before == 1)
        }
    }

    @Test("a capture of the changed output is what the pass gives")
    func captured() throws {
        let model = try SyntheticModel.make()
        let changes = ["encoder.ln_post @frames 3:40 = scale 0.5"]
        for _ in 0..<2 {
            let captured = try model.captured(["encoder.ln_post"], validFrames: 33, interventions: changes)
            let whole = try model.captured(
                ["encoder.ln_post", "encoder.conv1"], validFrames: 33, interventions: changes)
            let (one, two) = (captured["encoder.ln_post"]?.tensor, whole["encoder.ln_post"]?.tensor)
            #expect(one?.elements == two?.elements && one?.shape == two?.shape)
        }
    }
}
