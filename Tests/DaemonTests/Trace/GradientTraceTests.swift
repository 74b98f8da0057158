import Daemon
import Foundation
import Kernels
import Logging
import TensorFiles
import TestSupport
import Testing
import Whisper

@Suite("Traces with objectives", .timeLimit(.minutes(5))) struct GradientTraceTests {
    private let service: TraceService
    private let input: AudioInput

    init() throws {
        service = TraceService(model: try embeddedModel(), logger: Logger(label: "test"))
        input = try AudioInput.clip(named: "en-slt-01")
    }

    private func trace(
        _ hooks: [String], _ objectives: [String], _ change: (inout TraceRequest) -> Void = { _ in }
    ) throws -> (KeptTensors, TraceSummary) {
        var request = TraceRequest(hooks: hooks)
        request.objectives = objectives
        change(&request)
        let sink = KeptTensors()
        return (sink, try service.trace(input, request, into: sink))
    }

    @Test("beside each activation lies its gradient, cut like it, and the activations are those of a trace without")
    func beside() throws {
        let hooks = ["log_mel", "encoder.blocks.0.attn.pattern", "encoder.blocks.1.mlp.1", "decoder.token_embedding"]
        let (found, summary) = try trace(hooks, ["transcript"])
        let (plain, _) = try trace(hooks, [])
        for hook in hooks {
            let value = try #require(found.tensors[hook]), gradient = try #require(found.tensors["\(hook)@grad"])
            #expect(value.elements == plain.tensors[hook]?.elements)
            #expect(gradient.shape == value.shape, "\(hook)")
            #expect(gradient.elements.contains { $0 != 0 } && gradient.elements.allSatisfy(\.isFinite), "\(hook)")
            let said = try #require(found.descriptions.first { $0.name == "\(hook)@grad" })
            #expect(said.hook == hook && said.objective == 1)
        }
        #expect(found.descriptions.filter { $0.objective == nil }.map(\.name).sorted() == hooks.sorted())
        // A log-probability.
        #expect(summary.objectives.map(\.text) == ["transcript"])
        #expect(try #require(summary.objectives[0].values.first) < 0)
    }

    @Test("several objectives are told apart, and a pass that only needs the encoder reads no tokens")
    func several() throws {
        let (found, summary) = try trace(
            ["encoder.blocks.0.mlp.1"], ["encoder-sum", "encoder.blocks.1.mlp.1:7@frames 10:20"])
        #expect(
            found.tensors.keys.sorted() == [
                "encoder.blocks.0.mlp.1", "encoder.blocks.0.mlp.1@grad1", "encoder.blocks.0.mlp.1@grad2",
            ])
        #expect(summary.tokens.isEmpty && summary.objectives.count == 2)
        let (neuron, _) = try trace(["encoder.blocks.1.mlp.1"], [])
        let values = try #require(neuron.tensors["encoder.blocks.1.mlp.1"])
        let sum = (10..<20).reduce(0.0) { $0 + Double(values[$1, 7]) }
        #expect(abs(summary.objectives[1].values[0] - sum) < 1e-4 * max(1, abs(sum)))
    }

    @Test("a text is read by the decoder, and a linear functional from a file weighs the hook points of its names")
    func textAndFile() throws {
        let (_, summary) = try trace(["encoder.ln_post"], ["text hello there"])
        let (_, same) = try trace(["encoder.ln_post"], ["transcript"]) { $0.decoderInput = .text("hello there") }
        #expect(summary.objectives[0].values == same.objectives[0].values && summary.tokens == same.tokens)

        let folder = try TemporaryFolder(), path = folder("weights of mine.safetensors")
        let (plain, _) = try trace(["encoder.blocks.1"], [])
        let shape = try #require(plain.tensors["encoder.blocks.1"]).shape
        let weights = Tensor(shape: shape, (0..<shape.reduce(1, *)).map { Float($0 % 7) - 3 })
        let writer = try SafetensorsWriter(path: path)
        try writer.append("encoder.blocks.1", weights)
        try writer.finish(metadata: [:])
        let (found, _) = try trace(["encoder.blocks.1"], ["\"\(path)\""])
        #expect(found.tensors["encoder.blocks.1@grad"]?.elements == weights.elements)
    }

    @Test("a transcript's windows have the objective of what it took from them")
    func transcripts() throws {
        let (found, summary) = try trace(["log_mel", "decoder.ln"], ["transcript"]) {
            $0.transcript = TranscribeOptions()
        }
        #expect(found.tensors["log_mel@grad@window1"]?.elements.contains { $0 != 0 } == true)
        #expect(summary.objectives[0].values.count == summary.windows)
    }

    @Test(
        "what makes no sense is refused in words",
        arguments: [
            ("text  ", "the text is empty"), ("whatever", "is no objective"),
            ("encoder.blocks.1.mlp.1:9999", "no neuron 9999"), ("encoder.blocks.9.mlp.1:1", "no hook point matches"),
            ("encoder.blocks.1.attn.q:3", "expected HEAD.3"), ("encoder.blocks.*.mlp.1:1", "expected one"),
            ("encoder.blocks.1.mlp.1:1@frames 20:10", "is empty"), ("encoder.blocks.1.mlp.1:1@heads 2", "no qualifier"),
            ("encoder.blocks.1.mlp.1:1@frames 0:100000", "up to 100000"), ("token", "expected a token"),
            ("token extraordinarily-long-and-unlikely", "tokens"), ("token 99999999", "vocabulary"),
            ("token 5 behind 4000", "behind token 4000; the decoder read"), ("encoder-sum please", "is left over"),
            ("/nowhere/at/all.safetensors", "/nowhere/at/all.safetensors"),
        ])
    func refused(objective: String, words: String) throws {
        do {
            _ = try trace(["log_mel"], [objective])
            Issue.record("\(objective) was not refused")
        } catch {
            #expect("\(error)".contains(words), "\(objective): \(error)")
        }
    }

    @Test("objectives that contradict one another, the request, or the hooks are refused")
    func contradictions() throws {
        func expect(_ words: String, _ body: () throws -> Void) {
            do {
                try body()
                Issue.record("nothing was refused, expected \(words)")
            } catch { #expect("\(error)".contains(words), "\(error)") }
        }
        expect("reads one text") { _ = try trace(["log_mel"], ["text hello", "text goodbye"]) }
        expect("no tokens") { _ = try trace(["log_mel"], ["text hello"]) { $0.decoderInput = .tokens([1, 2]) } }
        expect("reads one text") { _ = try trace(["log_mel"], ["text a"]) { $0.decoderInput = .text("b") } }
        expect("does not depend on decoder.ln") { _ = try trace(["decoder.ln"], ["encoder-sum"]) }
        expect("context of") {
            _ = try trace(["log_mel"], ["text " + String(repeating: "one ", count: 2000)])
        }
    }
}
