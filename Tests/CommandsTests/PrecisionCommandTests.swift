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
        let daemon = try await InProcessDaemon(data)
        for precision in ["exact", "int8"] {
            let result = await daemon.run([
                "trace", "demo:en-slt-01", "--hooks", "encoder.conv1", "--precision", precision, "--out",
                data("t.npz"),
            ])
            #expect(result.status == 0, "\(result.error)")
        }
        let status = try object(await daemon.run(["status", "--format", "json"]))
        await daemon.stop()
        let models = try #require(status["models"] as? [[String: Any]])
        #expect(Set(models.compactMap { $0["precision"] as? String }).isSuperset(of: ["exact", "int8"]))
    }
}
