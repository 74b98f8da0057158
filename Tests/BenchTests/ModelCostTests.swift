import Foundation
import TestSupport
import Testing
import Whisper

@testable import Bench

struct ModelCostTests {
    @Test("The encoder's operations are those of a count by hand of a small one")
    func small() {
        // Width 4, 2 bands, 1 block, 3 frames (6 of the log-mel).
        let dimensions = ModelDimensions(
            nMels: 2, nAudioCtx: 3, nAudioState: 4, nAudioHead: 2, nAudioLayer: 1, nVocab: 10, nTextCtx: 5,
            nTextState: 4, nTextHead: 2, nTextLayer: 1)
        // Multiply-adds: conv1 6 frames × 4 out × (3 × 2), conv2 3 × 4 × (3 × 4);
        // q, k, v, out 4 × 3 × 4 × 4; scores and values 2 × 3 × 3 × 4; mlp 2 × 3 × 4 × 16.
        let multiplyAdds = 6 * 4 * 6 + 3 * 4 * 12 + 4 * 3 * 4 * 4 + 2 * 3 * 3 * 4 + 2 * 3 * 4 * 16
        #expect(ModelCost.encoderOperations(dimensions, frames: 3) == Double(2 * multiplyAdds))
    }

    @Test("A window through tiny's encoder is 36.94 GFLOP, of which fewer frames take less than their share")
    func tiny() {
        let tiny = ModelSize.tiny.dimensions
        let whole = ModelCost.encoderOperations(tiny, frames: 1500)
        #expect(abs(whole / 1e9 - 36.94) < 0.01)
        // Attention grows with the square of the frames.
        #expect(ModelCost.encoderOperations(tiny, frames: 150) < whole / 10)
    }

    @Test("A token of tiny's decoder reads its blocks and the unembedding")
    func decoder() {
        let tiny = ModelSize.tiny.dimensions
        // Four blocks: self-attention 4 d², cross-attention 2 d², mlp 8 d²; then 51,865 rows of 384.
        #expect(ModelCost.decoderWeights(tiny) == Double(4 * 14 * 384 * 384 + 51865 * 384))
        #expect(ModelCost.decoderAudioElements(tiny) == Double(4 * 2 * 1500 * 384))
    }

    @Test("A trace of everything is as large as its scores and patterns, and a fifth more")
    func traces() {
        let small = ModelSize.small.dimensions
        // Twelve layers of twelve heads, 550 frames by 1,500 keys, twice, in float32.
        let values: Double = 12 * 12 * 550 * 1500 * 2
        #expect(CostsBench.traceBytes(small) == 1.2 * 4 * values)
    }

    @Test("Memory of a process and of those below it is the most that it was, and begins anew once it is asked for")
    func memory() throws {
        let tree = ProcessTree(of: getpid())
        defer { tree.stop() }
        let before = tree.take()
        #expect(before.own > 1 << 20 && before.resident >= before.own)
        #expect(ProcessTree.memory(of: -1).resident == 0)
        let child = try Child("/bin/sleep", ["60"])
        defer { child.kill() }
        #expect(tree.take().resident > 1 << 20)
    }

    @Test("Random weights are a checkpoint that opens and runs, stay finite, and have words for what is decoded")
    func random() throws {
        let folder = try TemporaryFolder()
        let dimensions = ModelDimensions(
            nMels: 8, nAudioCtx: 10, nAudioState: 16, nAudioHead: 2, nAudioLayer: 2, nVocab: 51865, nTextCtx: 12,
            nTextState: 16, nTextHead: 2, nTextLayer: 1)
        try RandomCheckpoint(dimensions).write(to: folder.path)
        let checkpoint = try Checkpoint.open(folder.path)
        #expect(checkpoint.dimensions == dimensions && checkpoint.vocabulary?.tokens.count == 50_257)
        let model = try WhisperModel(checkpoint)
        let output = try model.encode(model.paddingMel)
        #expect(output.shape == [10, 16])
        #expect(output.elements.allSatisfy { $0.isFinite })
        #expect(output.elements.contains { $0 != output.elements[0] })
    }

    @Test(
        "A number in half precision is cut off towards zero, and too large or too small a one stays finite",
        arguments: [(1, 0x3C00), (-2, 0xC000), (0.5, 0x3800), (1e-9, 0), (1e9, 0x7BFF), (65504, 0x7BFF)]
            as [(Float, UInt16)])
    func half(value: Float, bits: UInt16) {
        #expect(RandomCheckpoint.half(value) == bits)
    }
}
