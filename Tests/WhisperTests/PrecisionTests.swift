import Kernels
import TestSupport
import Testing
import Whisper

@Suite("A model in fewer bits") struct PrecisionTests {
    private func checkpoint() -> Checkpoint {
        Checkpoint(
            format: .openAI, dimensions: SyntheticModel.dimensions, weights: SyntheticWeights(seed: 1), vocabulary: nil,
            generation: GenerationConfig())
    }

    private func relativeError(_ a: Tensor, _ b: Tensor) -> Float {
        let pairs = zip(a.elements, b.elements).filter { $0.isFinite || $1.isFinite }
        let difference = pairs.reduce(Float(0)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        return (difference / pairs.reduce(Float(0)) { $0 + $1.1 * $1.1 }).squareRoot()
    }

    @Test("int8 is near the exact model at every hook point, and is not it")
    func near() throws {
        let exact = try WhisperModel(checkpoint()), int8 = try WhisperModel(checkpoint(), precision: .int8)
        #expect(exact.precision == .exact && int8.precision == .int8)
        let expected = try exact.captured(["*"]), found = try int8.captured(["*"])
        #expect(found.keys == expected.keys)
        for (name, value) in found {
            let error = relativeError(value.tensor, try #require(expected[name]).tensor)
            #expect(error < 0.15, "\(name): \(error)")
        }
        for (name, isRounded) in [("log_mel", false), ("encoder.conv1", true), ("decoder.logits", true)] {
            let isExact = found[name]?.tensor.elements == expected[name]?.tensor.elements
            #expect(isExact != isRounded, "\(name)")
        }
    }

    @Test("with hooks and without, and in one step or in several, int8 gives the same logits to the bit")
    func sameWays() throws {
        let model = try WhisperModel(checkpoint(), precision: .int8)
        let mel = SyntheticModel.mel()
        let plain = try model.encode(mel)
        let hooked = try #require(
            try model.captured(["encoder.*", "encoder.blocks.*.attn.pattern"])["encoder.ln_post"])
        #expect(plain.elements == hooked.tensor.elements)
        let whole = try model.decode([[3, 1, 4]], cache: model.decoderCache(audio: plain))
        let cache = model.decoderCache(audio: plain)
        var rows: [Float] = []
        for token in [3, 1, 4] { rows += try model.decode([[token]], cache: cache).elements }
        #expect(whole.elements == rows)
    }

    @Test("a precision that the processor has not is refused, with what is missing")
    func refused() throws {
        guard let refusal = Precision.bf16.refusal else {
            _ = try WhisperModel(checkpoint(), precision: .bf16)
            return
        }
        let error = #expect(throws: WhisperError.self) { try WhisperModel(checkpoint(), precision: .bf16) }
        #expect(error?.code == .unsupported && error.map { "\($0)" } == refusal)
    }

    @Test("int8 weighs a quarter of float32, but for what is no matrix")
    func bytes() {
        let dimensions = SyntheticModel.dimensions
        let exact = dimensions.weightBytes(in: .exact), int8 = dimensions.weightBytes(in: .int8)
        #expect(exact == 4 * dimensions.parameterCount)
        #expect(int8 < exact / 2 && int8 > exact / 4)
        #expect(dimensions.weightBytes(in: .bf16) > int8)
    }
}
