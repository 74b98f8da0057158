import Foundation
import Kernels
import TensorFiles
import TestSupport
import Testing

@Suite("Precision on the command line") struct PrecisionCommandTests {
    private func object(_ result: CommandResult) throws -> [String: Any] {
        #expect(result.status == 0, "\(result.error)")
        return try #require(JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    }

    private func transcript(_ precision: String) async throws -> [String: Any] {
        let result = try await auscult(
            "transcribe", "demo:en-slt-01", "--temperature", "0", "--precision", precision, "--format", "json")
        #expect(result.status == 0, "\(result.error)")
        let all = try #require(JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [[String: Any]])
        return try #require(all.first)
    }

    @Test("a clip is written down in int8 as it is in float32, and the transcript says which")
    func transcribe() async throws {
        let exact = try await transcript("exact"), int8 = try await transcript("int8")
        #expect(exact["precision"] as? String == "exact" && int8["precision"] as? String == "int8")
        let text = try #require(exact["text"] as? String)
        #expect(!text.isEmpty && int8["text"] as? String == text)
    }

    @Test("a trace is in the precision that was asked for, and its file says so")
    func trace() async throws {
        let data = try TemporaryFolder()
        for precision in ["exact", "int8"] {
            let result = try await auscult(
                arguments: [
                    "trace", "demo:en-slt-01", "--hooks", "encoder.ln_post", "--precision", precision, "--out",
                    data("\(precision).safetensors"), "--format", "json",
                ], data: data)
            #expect(try object(result)["precision"] as? String == precision)
        }
        let exact = try SafetensorsFile(path: data("exact.safetensors"))
        let int8 = try SafetensorsFile(path: data("int8.safetensors"))
        #expect(exact.metadata["precision"] == "exact" && int8.metadata["precision"] == "int8")
        #expect(exact.metadata["model_sha256"] == int8.metadata["model_sha256"])
        let difference = largestDifference(
            try exact.tensor(named: "encoder.ln_post").elements, try int8.tensor(named: "encoder.ln_post").elements)
        #expect(difference > 0 && difference < .infinity)
    }

    @Test("what int8 costs is measured at every hook point and in words")
    func measured() async throws {
        let report = try object(
            try await auscult("precision", "demo:en-slt-01", "--precision", "int8", "--format", "json"))
        #expect(report["recordings"] as? Int == 1)
        let precisions = try #require(report["precisions"] as? [[String: Any]])
        #expect(precisions.compactMap { $0["precision"] as? String } == ["int8"])
        let hooks = try #require(precisions.first?["hooks"] as? [[String: Any]])
        let worst = Dictionary(
            uniqueKeysWithValues: hooks.compactMap { hook in
                (hook["hook"] as? String).flatMap { name in (hook["worst"] as? Double).map { (name, $0) } }
            })
        #expect(worst.count == hooks.count && hooks.count > 60)
        // Convolutions are in float32 in both.
        #expect(worst["encoder.conv1"] == 0 && worst["encoder.conv2"] == 0)
        for name in ["encoder.ln_post", "encoder.blocks.2.mlp.1", "encoder.blocks.0.attn.scores", "decoder.logits"] {
            let error = try #require(worst[name])
            #expect(error > 0 && error < 0.3, "\(name): \(error)")
        }
        let exact = try #require(report["exact"] as? [String: Any])
        let texts = try #require(precisions.first?["texts"] as? [String: Any])
        for texts in [exact, texts] {
            #expect(texts["texts"] as? Int == 1)
            #expect(try #require(texts["words"] as? Int) > 3)
            #expect(texts["word_error_rate"] is Double)
        }
    }

    @Test("the table has a line for each kind of hook point, and one for each of them with --each")
    func table() async throws {
        let arguments = [
            "precision", "demo:en-slt-01", "--precision", "int8", "--hooks", "encoder.blocks.*.mlp", "--no-texts",
        ]
        let short = try await auscult(arguments: arguments)
        #expect(short.status == 0 && short.output.contains("encoder.blocks.*.mlp  "))
        #expect(short.output.contains("INT8 MEDIAN") && !short.output.contains("WORD ERRORS"))
        let long = try await auscult(arguments: arguments + ["--each"])
        #expect(long.output.contains("encoder.blocks.0.mlp  ") && long.output.contains("encoder.blocks.3.mlp  "))
    }

    @Test("bf16 is refused where the processor has not got it, with what is missing and what to use")
    func refused() async throws {
        guard let refusal = Precision.bf16.refusal else { return }
        for command in [["transcribe", "demo:en-slt-01"], ["hooks"], ["precision", "demo:en-slt-01"]] {
            let result = try await auscult(arguments: command + ["--precision", "bf16"])
            #expect(result.status != 0 && result.output.isEmpty)
            #expect(result.error.contains(refusal), "\(result.error)")
        }
        // Nobody asked for it: it is left out, with a word on standard error.
        let report = try await auscult(
            "precision", "demo:en-slt-01", "--hooks", "encoder.ln_post", "--no-texts", "--format", "json")
        #expect(report.status == 0 && report.error.contains("avx512_bf16"))
        let precisions = try #require(object(report)["precisions"] as? [[String: Any]])
        #expect(precisions.compactMap { $0["precision"] as? String } == ["int8"])
    }

    @Test("the status shows the same model in two precisions")
    func status() async throws {
        let data = try TemporaryFolder()
        for precision in ["exact", "int8"] {
            let result = try await auscult(
                arguments: [
                    "trace", "demo:en-slt-01", "--hooks", "encoder.conv1", "--precision", precision, "--out",
                    data("t.npz"),
                ], data: data)
            #expect(result.status == 0, "\(result.error)")
        }
        let status = try object(try await auscult(arguments: ["status", "--format", "json"], data: data))
        let models = try #require(status["models"] as? [[String: Any]])
        #expect(Set(models.compactMap { $0["precision"] as? String }).isSuperset(of: ["exact", "int8"]))
    }
}
