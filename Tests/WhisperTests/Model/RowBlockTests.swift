import Kernels
import TestSupport
import Testing
import Whisper

/// An encoder's pass goes by blocks of frames, or takes all of them at once where a hook has to see an activation whole.
@Suite struct RowBlockTests {
    @Test(
        "blocks follow each other without a gap, begin at whole steps, and are never larger than the largest",
        arguments: [1, 2, 3, 8], [1, 2, 15, 16, 17, 47, 48, 50, 96, 97, 100, 150, 1499, 1500])
    func ranges(threads: Int, count: Int) {
        let ranges = RowBlock.ranges(of: count, threads: threads)
        #expect(ranges.first?.lowerBound == 0 && ranges.last?.upperBound == count)
        for (left, right) in zip(ranges, ranges.dropFirst()) { #expect(left.upperBound == right.lowerBound) }
        #expect(ranges.allSatisfy { $0.lowerBound % RowBlock.step == 0 && (1...RowBlock.count).contains($0.count) })
        #expect(RowBlock.ranges(of: count, whole: true, threads: threads) == [0..<count])
    }

    @Test("no thread has much less to do than another where there are many rows")
    func balance() {
        for threads in [2, 3, 4] {
            // As the pool does it: who has least takes the next block.
            var loads = [Int](repeating: 0, count: threads)
            for range in RowBlock.ranges(of: 1500, threads: threads) {
                loads[loads.firstIndex(of: loads.min()!)!] += range.count
            }
            #expect(Double(loads.max()!) < 1.04 * 1500 / Double(threads))
        }
    }

    @Test("a few rows are shared out evenly, in as many blocks as there are threads")
    func few() {
        #expect(RowBlock.ranges(of: 100, threads: 1).count == (100 + RowBlock.count - 1) / RowBlock.count)
        for threads in [2, 3, 4] {
            let count = threads * RowBlock.step * 3 - 5
            let sizes = RowBlock.ranges(of: count, threads: threads).map(\.count)
            #expect(sizes.count == threads && sizes.max()! - sizes.min()! <= RowBlock.step, "\(sizes)")
        }
    }

    /// Noise of deviation 0 changes nothing, and is drawn over the whole of an activation.
    private static let seesAll = "encoder.conv2 = noise 0 seed 1"

    @Test(
        "block by block or whole, what is computed and captured is the same to the bit",
        arguments: [
            [], ["encoder.blocks.1.mlp.1 = zero"], ["encoder.blocks.0.attn.z @heads 1 = scale 0.5"],
            ["encoder.blocks.1.attn window 7"], ["encoder.blocks.0.attn.pattern @frames 30:90 = scale 2"],
        ])
    func wholeAndBlocks(interventions: [String]) throws {
        let model = try SyntheticModel.make()
        for valid in [nil, 1, 33, 150] {
            let blocks = try model.captured(["**"], validFrames: valid, interventions: interventions)
            let whole = try model.captured(
                ["**"], validFrames: valid, interventions: interventions + [Self.seesAll])
            #expect(blocks.count == HookPoint.all(in: model.dimensions).count)
            for (name, capture) in blocks {
                #expect(whole[name]?.tensor.elements == capture.tensor.elements, "\(name), \(valid ?? -1)")
                #expect(whole[name]?.tensor.shape == capture.tensor.shape, "\(name)")
            }
        }
    }

    @Test(
        "what a window hides need not be computed: the same to the bit as scores that are laid out and set to −∞",
        arguments: [
            ["encoder.blocks.*.attn window 0"], ["encoder.blocks.*.attn window 10"],
            ["encoder.blocks.1.attn window 260"],
            ["encoder.blocks.*.attn window 700"], ["encoder.blocks.0.attn @heads 1 window 20"],
            ["encoder.blocks.*.attn window 90", "encoder.blocks.*.attn @heads 0,2 window 30"],
            // Some queries only, and what else changes scores, are laid out in either run.
            ["encoder.blocks.1.attn @frames 100:300 window 5"],
            ["encoder.blocks.1.attn window 5", "encoder.blocks.1.attn.pattern = scale 0.5"],
        ])
    func windows(interventions: [String]) throws {
        var dimensions = SyntheticModel.dimensions
        dimensions.nAudioCtx = 700
        let model = try SyntheticModel.make(dimensions: dimensions)
        let mel = SyntheticModel.mel(dimensions)
        let hooks = ["encoder.blocks.*.attn.z", "encoder.ln_post", "decoder.logits"]
        let near = try model.captured(hooks, mel: mel, interventions: interventions)
        // Scores that are asked for are there, all of them.
        let laidOut = try model.captured(
            hooks + ["encoder.blocks.*.attn.scores"], mel: mel, interventions: interventions)
        #expect(near.count == 5)
        for (name, capture) in near {
            #expect(laidOut[name]?.tensor.elements == capture.tensor.elements, "\(name)")
        }
    }

    @Test("captures come in the order of the forward pass, whole, and on the thread of the run")
    func order() throws {
        let model = try SyntheticModel.make()
        let points = HookPoint.all(in: model.dimensions).filter(\.isEncoder)
        var seen: [HookPoint] = []
        let run = try HookRun(HookPlan(captures: Set(points)), dimensions: model.dimensions) { seen.append($0.hook) }
        #expect(try model.encode(SyntheticModel.mel(), hooks: run) == nil)
        #expect(seen == points)
    }

    @Test(
        "an error of the sink ends a run that goes by blocks, and comes back",
        arguments: ["conv1", "blocks.1", "ln_post"])
    func sinkFails(point: String) throws {
        struct Full: Error {}
        let model = try SyntheticModel.make()
        let plan = HookPlan(captures: Set(try HookPoint.matching("encoder.\(point)", in: model.dimensions)))
        let run = try HookRun(plan, dimensions: model.dimensions) { _ in throw Full() }
        #expect(throws: Full.self) { try model.encode(SyntheticModel.mel(), hooks: run) }
    }

    @Test("sequences that begin again hear the same audio, with the numbers of a new memory")
    func beginningAgain() throws {
        let model = try SyntheticModel.make()
        let audio = try model.encode(SyntheticModel.mel())
        let first = model.decoderCache(audio: audio)
        let alone = try model.decode([[3, 1, 4]], cache: first)
        let again = first.beginningAgain(sequences: 2, in: model.dimensions)
        let both = try model.decode([[3, 1, 4], [3, 1, 5]], cache: again)
        #expect(again.length == 3 && again.sequences == 2)
        #expect(Array(both.elements.prefix(alone.count)) == alone.elements)
    }
}
