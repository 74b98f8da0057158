import Kernels
import TestSupport
import Testing
import Whisper

@Suite struct HookRunTests {
    let model: WhisperModel

    init() throws { model = try SyntheticModel.make() }

    @Test("capturing everything changes nothing: the logits are the same to the bit")
    func capturingIsFree() throws {
        let tokens = [7, 8, 9]
        let audio = try model.encode(SyntheticModel.mel())
        let plain = try model.decode([tokens], cache: model.decoderCache(audio: audio))
        let captured = try model.captured(["*"], tokens: tokens)
        #expect(captured["encoder.ln_post"]?.tensor.elements == audio.elements)
        #expect(captured["decoder.logits"]?.tensor.elements == plain.elements)
    }

    @Test("a run stops after its last capture, with the values of a whole run")
    func earlyExit() throws {
        let whole = try model.captured(["*"])
        for point in HookPoint.all(in: model.dimensions) {
            let alone = try model.captured([point.name])
            #expect(alone.count == 1)
            #expect(alone[point.name]?.tensor.elements == whole[point.name]?.tensor.elements, "\(point)")
        }
        // Nothing of the decoder is asked for, so the encoder's result is not made.
        let plan = HookPlan(captures: Set(try HookPoint.matching("encoder.blocks.0", in: model.dimensions)))
        #expect(try model.encode(SyntheticModel.mel(), hooks: HookRun(plan, dimensions: model.dimensions)) == nil)
        // Asked to run to its end, it does.
        var toTheEnd = plan
        toTheEnd.stopsEarly = false
        #expect(try model.encode(SyntheticModel.mel(), hooks: HookRun(toTheEnd, dimensions: model.dimensions)) != nil)
    }

    @Test("only valid frames are kept; keys of attention stay whole")
    func validFrames() throws {
        let captured = try model.captured(["*"], validFrames: 20)
        #expect(captured["encoder.conv1"]?.tensor.shape == [40, 24])
        #expect(captured["encoder.blocks.1.mlp.1"]?.tensor.shape == [20, 96])
        #expect(captured["encoder.blocks.1.attn.pattern"]?.tensor.shape == [3, 20, 150])
        #expect(captured["decoder.blocks.0.cross_attn.k"]?.tensor.shape == [20, 2, 12])
        #expect(captured["decoder.blocks.0.cross_attn.pattern"]?.tensor.shape == [2, 6, 150])
        let whole = try model.captured(["encoder.blocks.1.attn.pattern"])["encoder.blocks.1.attn.pattern"]
        #expect(captured["encoder.blocks.1.attn.pattern"]?.tensor[2, 19, 149] == whole?.tensor[2, 19, 149])
    }

    @Test(
        "frames that nobody keeps are not computed where none depends on them, and the others are the same to the bit")
    func framesRead() throws {
        let frames = model.dimensions.nAudioCtx
        let encoder = HookPoint.all(in: model.dimensions).filter(\.isEncoder)
        for valid in [1, 20, 127, 128, 129, frames] {
            let whole = try model.captured(["encoder.**"], validFrames: valid, stopsEarly: false)
            #expect(
                try model.captured(["encoder.**"], validFrames: valid).mapValues(\.tensor.elements)
                    == whole.mapValues(\.tensor.elements))
            for point in encoder {
                let alone = try model.captured([point.name], validFrames: valid)
                #expect(alone[point.name]?.tensor.elements == whole[point.name]?.tensor.elements, "\(point), \(valid)")
                #expect(alone[point.name]?.tensor.shape == whole[point.name]?.tensor.shape, "\(point), \(valid)")
            }
        }
    }

    @Test(
        "an intervention on a later block, or on the same, has all frames to work on",
        arguments: [
            "encoder.blocks.1.mlp.1 = mean", "encoder.blocks.0.mlp.1 @frames 100: = zero",
            "encoder.blocks.1.attn.k @frames 30:140 = zero", "encoder.blocks.1.attn window 3",
            "encoder.blocks.1.attn_ln @frames 140: = scale 3",
        ])
    func framesReadWithInterventions(intervention: String) throws {
        for hook in ["encoder.blocks.1.mlp.1", "encoder.blocks.1.attn.pattern", "encoder.ln_post"] {
            let whole = try model.captured(
                [hook], validFrames: 20, interventions: [intervention], stopsEarly: false)
            let short = try model.captured([hook], validFrames: 20, interventions: [intervention])
            #expect(short[hook]?.tensor.elements == whole[hook]?.tensor.elements, "\(hook)")
        }
    }

    @Test("reductions are those of the positions that were kept", arguments: [Reduction.max, .mean])
    func reductions(reduction: Reduction) throws {
        let valid = 33
        let whole = try model.captured(["*"], validFrames: valid)
        let reduced = try model.captured(["*"], reduction: reduction, validFrames: valid)
        for (name, kept) in whole {
            let axis = kept.axes.first == "head" ? 1 : 0
            let outer = kept.tensor.shape[..<axis].reduce(1, *)
            let positions = kept.tensor.shape[axis], inner = kept.tensor.shape[(axis + 1)...].reduce(1, *)
            let values = kept.tensor.elements
            let expected = (0..<outer * inner).map { index -> Float in
                let column = (0..<positions).map { values[(index / inner * positions + $0) * inner + index % inner] }
                return reduction == .max
                    ? column.max()! : Float(column.reduce(0.0) { $0 + Double($1) } / Double(positions))
            }
            let found = try #require(reduced[name])
            #expect(largestDifference(found.tensor.elements, expected) < 1e-5, "\(name)")
            #expect(found.axes.count == found.tensor.rank)
            #expect(found.positions == positions)
        }
    }

    @Test("an error of the sink ends the run and comes back")
    func sinkErrors() throws {
        struct Full: Error {}
        let plan = HookPlan(captures: Set(HookPoint.all(in: model.dimensions)))
        let run = try HookRun(plan, dimensions: model.dimensions) { _ in throw Full() }
        #expect(throws: Full.self) { try model.encode(SyntheticModel.mel(), hooks: run) }
    }

    @Test("capturing from several sequences at once is refused, not guessed")
    func severalSequences() throws {
        let audio = try model.encode(SyntheticModel.mel())
        let plan = HookPlan(captures: Set(try HookPoint.matching("decoder.logits", in: model.dimensions)))
        let run = try HookRun(plan, dimensions: model.dimensions)
        let cache = model.decoderCache(audio: audio, sequences: 2)
        #expect(throws: WhisperError.self) { try model.decode([[1], [2]], cache: cache, hooks: run) }
    }
}
