import Foundation
import TestSupport
import Testing

@Suite("auscult transcribe --receipt") struct TranscriptReceiptTests {
    /// A recording in `data`, and the receipt of its transcripts with and without changes to the model.
    private func with(_ body: (InProcessDaemon, TemporaryFolder, _ receipt: String) async throws -> Void) async throws {
        let data = try TemporaryFolder()
        try data.write(WAV.bytes(WAV.tone(seconds: 0.4)), to: "a.wav")
        let daemon = try await InProcessDaemon(data)
        do {
            let receipt = data("receipt.json")
            let run = await daemon.run(
                "transcribe", data("a.wav"), "demo:en-slt-01", "--intervene", "encoder.blocks.*.attn window 75",
                "--receipt", receipt)
            #expect(run.status == 0, "\(run.error)")
            try await body(daemon, data, receipt)
        } catch {
            await daemon.stop()
            throw error
        }
        await daemon.stop()
    }

    @Test("transcripts come out again, and the receipt says of what they were made")
    func same() async throws {
        try await with { daemon, data, receipt in
            let verified = await daemon.run("verify", receipt)
            #expect(verified.status == 0, "\(verified.output)\(verified.error)")
            #expect(verified.output == "\(receipt): 2 transcripts, the same to the bit\n")

            let bytes = try Data(contentsOf: URL(fileURLWithPath: receipt))
            let json = try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
            #expect(json["format"] as? String == "auscult-transcripts-receipt/1")
            #expect((json["model_sha256"] as? String)?.count == 64)
            let recordings = try #require(json["recordings"] as? [[String: String]])
            #expect(recordings.allSatisfy { $0["sha256"]?.count == 64 } && recordings.count == 2)
            let transcripts = try #require(json["transcripts"] as? [[String: Any]])
            let request = try #require(transcripts.first?["request"] as? [String: Any])
            #expect((request["audio"] as? [String: Any])?["path"] as? String == data("a.wav"))
            let interventions = try #require(request["interventions"] as? [[String: Any]])
            #expect(interventions.map { $0["text"] as? String } == ["encoder.blocks.*.attn window 75"])
        }
    }

    @Test("another sound under the same name is said, with both texts or both digests")
    func changedSound() async throws {
        try await with { daemon, data, receipt in
            try data.write(WAV.bytes(WAV.tone(seconds: 0.9)), to: "a.wav")
            let verified = await daemon.run("verify", receipt)
            #expect(verified.status == 65)
            #expect(verified.output.contains("not as the receipt says"))
            #expect(verified.output.contains("the recording \(data("a.wav")):"))
            #expect(
                verified.output.contains("the transcript of \(data("a.wav")) under 'encoder.blocks.*.attn window 75'"))
            #expect(!verified.output.contains("en-slt-01"))
        }
    }

    @Test("a receipt that was changed, or whose request is none, is refused")
    func broken() async throws {
        try await with { daemon, data, receipt in
            let text = try String(contentsOfFile: receipt, encoding: .utf8)
            try data.write(Array(text.replacingOccurrences(of: "window 75", with: "window 50").utf8), to: "other.json")
            let changed = await daemon.run("verify", data("other.json"))
            #expect(changed.status == 65 && changed.error.contains("was changed"), "\(changed.error)")
            try data.write([], to: "a.wav")
            let silent = await daemon.run("verify", receipt)
            #expect(silent.status != 0 && silent.error.contains("a.wav"), "\(silent.error)")
        }
    }

    @Test("what can be heard only once, and what nobody waits for, has no receipt")
    func unrepeatable() async throws {
        let data = try TemporaryFolder()
        let pipe = try await auscult("transcribe", "/dev/stdin", "--receipt", data("r.json"), data: data)
        #expect(pipe.status == 64 && pipe.error.contains("read only once"), "\(pipe.error)")
        let job = try await auscult("transcribe", "demo:en-slt-01", "--detach", "--receipt", data("r.json"), data: data)
        #expect(job.status == 64 && job.error.contains("--receipt"), "\(job.error)")
        #expect(!FileManager.default.fileExists(atPath: data("r.json")))
    }
}
