import Kernels
import Testing
import Whisper

/// The engine against openai-whisper, hook point by hook point, on the micro checkpoint of ``Golden``.
@Suite struct GoldenTests {
    let golden: Golden

    init() throws { golden = try Golden() }

    /// One encoder pass, then the decoder over all tokens at once.
    private func capture(_ model: WhisperModel, _ plan: HookPlan) throws -> [String: CapturedTensor] {
        var captured: [String: CapturedTensor] = [:]
        let run = try HookRun(plan, dimensions: model.dimensions) { captured[$0.hook.name] = $0 }
        if let audio = try model.encode(golden.mel, hooks: run) {
            _ = try model.decode([golden.tokens], cache: model.decoderCache(audio: audio), hooks: run)
        }
        return captured
    }

    private func expectClose(_ actual: Tensor?, _ name: String, _ note: String = "") throws {
        let tensor = try #require(actual, "\(name) was not captured")
        let reference = try #require(golden.reference[name], "\(name) has no reference")
        let difference = Difference(tensor, reference)
        #expect(difference.isSmall, "\(name) \(note): \(difference)")
    }

    @Test("every hook point equals openai-whisper's, from each file format", arguments: Golden.checkpoints)
    func everyHookPoint(file: String) throws {
        let model = try Golden.model(file)
        let points = HookPoint.all(in: model.dimensions)
        let captured = try capture(model, HookPlan(captures: Set(points)))
        let expected = golden.reference.keys.filter { !$0.contains(":") }
        #expect(Set(points.map(\.name)) == Set(expected))
        for name in expected.sorted() { try expectClose(captured[name]?.tensor, name) }
    }

    @Test("the three file formats give the same sizes and the same weights, bit for bit")
    func formatsAgree() throws {
        let models = try Golden.checkpoints.map(Golden.model)
        #expect(Set(models.map(\.dimensions)).count == 1)
        let outputs = try models.map { try $0.encode(golden.mel).elements }
        #expect(outputs.allSatisfy { $0 == outputs[0] })
    }

    @Test("a run without hooks gives what the hooked run captures")
    func hooksOnlyLook() throws {
        let model = try Golden.model("micro")
        let audio = try model.encode(golden.mel)
        try expectClose(audio, "encoder.ln_post")
        let logits = try model.decode([golden.tokens], cache: model.decoderCache(audio: audio))
        try expectClose(logits.reshaped(Array(logits.shape.dropFirst())), "decoder.logits")
    }

    @Test(
        "decoding in steps on the cache gives the logits of one pass",
        arguments: [[1, 1, 1, 1], [3, 1, 4], [5], [1, 7]])
    func steps(counts: [Int]) throws {
        let model = try Golden.model("micro")
        let cache = model.decoderCache(audio: try model.encode(golden.mel))
        let expected = try #require(golden.reference["decoder.logits"])
        for count in counts {
            let range = cache.length..<cache.length + count
            let logits = try model.decode([Array(golden.tokens[range])], cache: cache)
            #expect(logits.shape == [1, count, model.dimensions.nVocab])
            let difference = Difference(logits.reshaped([count, model.dimensions.nVocab]), expected.rows(range))
            #expect(difference.isSmall, "tokens \(range): \(difference)")
        }
        #expect(cache.length == counts.reduce(0, +))
    }

    @Test("a step captures its own rows of every decoder point, and says which they are")
    func stepsCapture() throws {
        let model = try Golden.model("micro")
        let points = [
            "decoder.blocks.0.mlp.1", "decoder.blocks.1.attn.q", "decoder.blocks.2.cross_attn.z", "decoder.ln",
        ]
        let plan = HookPlan(captures: Set(HookPoint.all(in: model.dimensions).filter { points.contains($0.name) }))
        let audio = try model.encode(golden.mel)
        let cache = model.decoderCache(audio: audio)
        for position in 0..<4 {
            var captured: [String: CapturedTensor] = [:]
            let run = try HookRun(plan, dimensions: model.dimensions) { captured[$0.hook.name] = $0 }
            _ = try model.decode([[golden.tokens[position]]], cache: cache, hooks: run)
            for name in points {
                let step = try #require(captured[name])
                #expect(step.firstPosition == position)
                let row = try #require(golden.reference[name]).rows(position..<position + 1)
                #expect(Difference(step.tensor, row).isSmall, "\(name) at token \(position)")
            }
        }
    }

    @Test("sequences side by side do not mix, and can be rearranged")
    func sequences() throws {
        let model = try Golden.model("micro")
        let cache = model.decoderCache(audio: try model.encode(golden.mel), sequences: 2)
        let expected = try #require(golden.reference["decoder.logits"])
        let other = golden.tokens.map { ($0 + 1) % model.dimensions.nVocab }
        _ = try model.decode([Array(other[..<3]), Array(golden.tokens[..<3])], cache: cache, lastOnly: true)
        cache.rearrange([1, 0, 1])
        let step = [[golden.tokens[3]], [other[3]], [golden.tokens[3]]]
        let logits = try model.decode(step, cache: cache, lastOnly: true)
        for sequence in [0, 2] {
            let row = logits.rows(sequence..<sequence + 1).reshaped([1, model.dimensions.nVocab])
            #expect(Difference(row, expected.rows(3..<4)).isSmall, "sequence \(sequence)")
        }
    }

    @Test("a reduction over the valid frames equals numpy's", arguments: [Reduction.max, .mean])
    func reductions(reduction: Reduction) throws {
        let model = try Golden.model("micro")
        let points = HookPoint.all(in: model.dimensions).filter(\.isEncoder)
        let plan = HookPlan(captures: Set(points), reduction: reduction, validFrames: golden.validFrames)
        let captured = try capture(model, plan)
        for point in points {
            try expectClose(captured[point.name]?.tensor, "\(reduction.rawValue):\(point.name)")
        }
    }

    @Test("a run stops after the last point that is wanted, with the values of the whole run")
    func earlyExit() throws {
        let model = try Golden.model("micro")
        for point in HookPoint.all(in: model.dimensions) {
            var captured: [CapturedTensor] = []
            let plan = HookPlan(captures: [point])
            let run = try HookRun(plan, dimensions: model.dimensions) { captured.append($0) }
            let audio = try model.encode(golden.mel, hooks: run)
            #expect((audio == nil) == point.isEncoder, "\(point)")
            if let audio {
                _ = try model.decode([golden.tokens], cache: model.decoderCache(audio: audio), hooks: run)
            }
            #expect(captured.map(\.hook) == [point])
            try expectClose(captured.first?.tensor, point.name)
        }
    }
}
