import Kernels
import TestSupport
import Testing
import Whisper

/// What other recordings and other runs have is put in.
@Suite("Patches and resamples") struct OtherInputTests {
    let model: WhisperModel
    let dimensions = SyntheticModel.dimensions
    let mel = SyntheticModel.mel(seed: 77)
    let other: OtherInput
    let tokens = [3, 1, 4, 1, 5, 9]

    init() throws {
        model = try SyntheticModel.make()
        other = OtherInput(name: "other", mel: mel)
    }

    private func points(_ pattern: String) throws -> Set<HookPoint> {
        Set(try HookPoint.matching(pattern, in: dimensions))
    }

    private func intervention(
        _ pattern: String, _ operation: Intervention.Operation, positions: Range<Int>? = nil, columns: [Int]? = nil
    ) throws -> Intervention {
        try Intervention(
            targets: points(pattern), positions: positions, words: nil, heads: nil, columns: columns, receivers: nil,
            operation: operation, dimensions: dimensions)
    }

    private func captured(_ interventions: [Intervention], _ hook: String, mel: Tensor = SyntheticModel.mel()) throws
        -> Tensor
    {
        var found: [String: Tensor] = [:]
        let run = try HookRun(
            HookPlan(captures: points(hook), interventions: try interventions.within(start: 0, mel: mel)),
            dimensions: dimensions
        ) { found[$0.hook.name] = $0.tensor }
        if let audio = try model.encode(mel, hooks: run) {
            _ = try model.decode([tokens], cache: model.decoderCache(audio: audio), hooks: run)
        }
        return try #require(found[hook])
    }

    @Test(
        "the other recording's activation stands at the chosen frames, and the pass's own elsewhere",
        arguments: [
            "encoder.blocks.1", "encoder.blocks.2.mlp.1", "encoder.blocks.1.attn.v", "encoder.ln_post", "encoder.conv1",
        ])
    func frames(hook: String) throws {
        let clean = try captured([], hook), theirs = try captured([], hook, mel: mel)
        let patched = try captured([intervention(hook, .patch(other, from: nil), positions: 20..<50)], hook)
        #expect(patched.rows(20..<50).elements == theirs.rows(20..<50).elements)
        #expect(patched.rows(0..<20).elements == clean.rows(0..<20).elements)
        #expect(patched.rows(50..<150).elements == clean.rows(50..<150).elements)
    }

    @Test("scores of the other recording are put in as well, masked ones too")
    func scores() throws {
        for hook in [
            "encoder.blocks.1.attn.scores", "decoder.blocks.0.attn.scores", "decoder.blocks.1.cross_attn.pattern",
        ] {
            let theirs = try captured([], hook, mel: mel)
            #expect(try captured([intervention(hook, .patch(other, from: nil))], hook).elements == theirs.elements)
        }
    }

    @Test("frames of a word stand for those of another, each as often as it takes")
    func stretched() throws {
        let hook = "encoder.blocks.1", theirs = try captured([], hook, mel: mel)
        let patched = try captured(
            [intervention(hook, .patch(other, from: .melFrames(60..<64)), positions: 10..<14)], hook)
        for (to, from) in [(10, 30), (11, 30), (12, 31), (13, 31)] {
            #expect(patched.rows(to..<to + 1).elements == theirs.rows(from..<from + 1).elements)
        }
    }

    @Test(
        "a patch of all that is heard gives what the other recording gives",
        arguments: ["encoder.ln_post", "encoder.positional"])
    func whole(hook: String) throws {
        let theirs = try captured([], "decoder.logits", mel: mel)
        #expect(
            try captured([intervention(hook, .patch(other, from: nil))], "decoder.logits").elements == theirs.elements)
    }

    @Test("a patch from the same recording changes no bit", arguments: ["encoder.**", "decoder.**"])
    func itself(pattern: String) throws {
        let same = OtherInput(name: "same", mel: SyntheticModel.mel())
        let logits = try captured([], "decoder.logits")
        let patched = try captured([intervention(pattern, .patch(same, from: nil))], "decoder.logits")
        #expect(patched.elements.map(\.bitPattern) == logits.elements.map(\.bitPattern))
    }

    @Test("in the decoder the other recording is heard while the same tokens are read, in beams too, token by token")
    func decoder() throws {
        let patch = try intervention("decoder.blocks.1", .patch(other, from: nil))
        let audio = try model.encode(SyntheticModel.mel()), theirs = try model.encode(mel)
        func logits(_ audio: Tensor, _ interventions: [Intervention]) throws -> [[Float]] {
            let run = try HookRun(HookPlan(interventions: interventions), dimensions: dimensions)
            let cache = model.decoderCache(audio: audio)
            var found: [[Float]] = []
            func read(_ tokens: [[Int]]) throws {
                found.append(try model.decode(tokens, cache: cache, lastOnly: true, hooks: run)?.elements ?? [])
            }
            try read([[3, 1]])
            cache.rearrange([0, 0])
            try read([[4], [7]])
            cache.rearrange([1, 0, 1])
            try read([[1], [5], [9]])
            return found
        }
        #expect(try logits(audio, [patch]) == logits(theirs, []))
        #expect(try logits(audio, []) != logits(theirs, []))
    }

    @Test("a cache that has read without the other recording is no trap")
    func late() throws {
        let patch = try intervention("decoder.blocks.1", .patch(other, from: nil))
        let cache = model.decoderCache(audio: try model.encode(SyntheticModel.mel()))
        _ = try model.decode([[3]], cache: cache)
        let run = try HookRun(HookPlan(interventions: [patch]), dimensions: dimensions)
        let error = #expect(throws: WhisperError.self) { try model.decode([[1]], cache: cache, hooks: run) }
        #expect(error?.code == .failedPrecondition)
    }

    @Test("rows that a trace kept are put in at their positions; what they have not stays")
    func rows() throws {
        let hook = "encoder.blocks.1", clean = try captured([], hook), theirs = try captured([], hook, mel: mel)
        let point = try #require(points(hook).first), kept = theirs.rows(0..<60)
        let patched = try captured([intervention(hook, .patchRows([point: kept], from: nil))], hook)
        #expect(patched.rows(0..<60).elements == kept.elements)
        #expect(patched.rows(60..<150).elements == clean.rows(60..<150).elements)
        let moved = try captured(
            [intervention(hook, .patchRows([point: kept], from: .positions(5..<7)), positions: 100..<102)], hook)
        #expect(moved.rows(100..<102).elements == kept.rows(5..<7).elements)
        for (tensor, positions, from) in [
            (Tensor(shape: [60, 23]), nil, nil), (kept, 50..<70, nil),
            (kept, 50..<52, .positions(59..<61)), (Tensor(shape: [0, 24]), nil, nil),
        ] as [(Tensor, Range<Int>?, Intervention.PatchSource?)] {
            #expect(throws: WhisperError.self) {
                try intervention(hook, .patchRows([point: tensor], from: from), positions: positions)
            }
        }
    }

    // The first is what is heard.
    @Test("a recording is drawn by the seed and by what is heard, and is another one")
    func resample() throws {
        let hook = "encoder.blocks.1", mels = (0..<5).map { SyntheticModel.mel(seed: 5 + $0) }
        let inputs = OtherInputs(name: "set", mels.map { mel in { @Sendable in OtherInput(name: "one", mel: mel) } })
        let theirs = try mels.map { try captured([], hook, mel: $0).elements }
        var drawn = Set<Int>()
        for seed in UInt64(0)..<20 {
            let change = try intervention(hook, .resample(inputs, seed: seed))
            let found = try captured([change], hook).elements
            drawn.insert(try #require(theirs.firstIndex(of: found)))
            #expect(try captured([change], hook).elements == found)
        }
        #expect(drawn.count > 1 && !drawn.contains(0))
        let alone = OtherInputs(name: "set", [{ OtherInput(name: "0", mel: mels[0]) }])
        for inputs in [alone, OtherInputs(name: "set", [])] {
            let error = #expect(throws: WhisperError.self) {
                try captured([intervention(hook, .resample(inputs, seed: 1))], hook)
            }
            #expect(error?.message.contains("none beside") == true)
        }
    }

    @Test("a mean over other passes is put in, of each hook point its own")
    func measured() throws {
        let measurement = ColumnMeasurement(.mean, columns: nil),
            median = ColumnMeasurement(.quantile(0.5), columns: [2])
        for seed in [1, 2] as [UInt64] {
            let run = try HookRun(
                HookPlan(captures: points("encoder.blocks.*"), validFrames: 40), dimensions: dimensions
            ) {
                try measurement.add($0)
                try median.add($0)
            }
            _ = try model.encode(SyntheticModel.mel(seed: seed), hooks: run)
        }
        let both = try [1, 2].map {
            try captured([], "encoder.blocks.1", mel: SyntheticModel.mel(seed: $0)).rows(0..<40)
        }
        let column = both.flatMap { x in (0..<40).map { x[$0, 2] } }
        let means = try measurement.values(at: points("encoder.blocks.*"))
        let point = try #require(points("encoder.blocks.1").first)
        #expect(abs((means[point]?[2] ?? 0) - column.reduce(0, +) / 80) < 1e-5)
        let sorted = column.sorted()
        #expect(try abs((median.values(at: [point])[point]?[2] ?? 0) - (sorted[39] + sorted[40]) / 2) < 1e-6)
        let put = try intervention("encoder.blocks.*", .put(means.mapValues { Tensor(shape: [$0.count], $0) }))
        #expect(try captured([put], "encoder.blocks.1").rows(7..<8).elements == means[point])
        #expect(throws: WhisperError.self) { try measurement.values(at: points("encoder.ln_post")) }
    }
}
