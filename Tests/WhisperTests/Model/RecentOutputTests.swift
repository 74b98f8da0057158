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
        _ model: WhisperModel, _ mel: Tensor, _ interventions: [String], captures: [String] = [], reuses: Bool = false
    ) throws -> Tensor? {
        let plan = HookPlan(
            captures: Set(try captures.flatMap { try HookPoint.matching($0, in: model.dimensions) }),
            interventions: try interventions.map { try Intervention(parsing: $0, dimensions: model.dimensions) },
            stopsEarly: false, reusesOutput: reuses)
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

    @Test("a pass that may take what was kept shares it with those that change something behind it, and keeps its own")
    func reused() throws {
        let model = try SyntheticModel.make()
        let mel = SyntheticModel.mel(seed: 5)
        let plain = try #require(try output(model, mel, [], reuses: true))
        #expect(model.encoderPasses == 1)
        #expect(model.keptBytes == 4 * (mel.count + plain.count))
        #expect(try output(model, mel, [], reuses: true)?.elements == plain.elements)
        _ = try output(model, mel, ["encoder.ln_post @frames 0:4 = zero"])
        #expect(model.encoderPasses == 1)
        // What is asked for or changed inside is computed all the same.
        _ = try output(model, mel, [], captures: ["encoder.blocks.0"], reuses: true)
        _ = try output(model, mel, ["encoder.blocks.1.mlp = zero"], reuses: true)
        #expect(model.encoderPasses == 3)
        #expect(try fresh(mel, [])?.elements == plain.elements)
    }

    @Test("a window of the encoder's attention that reaches everywhere changes nothing; a narrower one is computed")
    func wideWindow() throws {
        let model = try SyntheticModel.make()
        let mel = SyntheticModel.mel(seed: 5), last = model.dimensions.nAudioCtx - 1
        let plain = try #require(try output(model, mel, [], reuses: true))
        #expect(try output(model, mel, ["encoder.blocks.*.attn window \(last)"])?.elements == plain.elements)
        #expect(model.encoderPasses == 1)
        #expect(try output(model, mel, ["encoder.blocks.*.attn window \(last - 1)"])?.elements != plain.elements)
        #expect(model.encoderPasses == 2)
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
