import Foundation
import TestSupport
import Testing

@Suite("auscult verify", .serialized) struct VerifyCommandTests {
    /// `body` with a daemon that knows FaultyPlugin, and results of it over three recordings in `out`.
    private func with(_ body: (PluginCommandLine, _ receipt: String) async throws -> Void) async throws {
        let line = try await PluginCommandLine([TestBundle()])
        do {
            let out = line.data("out")
            let run = await line.run("run", "faulty", line.data("set"), "-p", "gain=2", "--seed", "7", "--out", out)
            #expect(run.status == 0, "\(run.error)")
            #expect(run.output.contains("\(out)/receipt.json\n"))
            try await body(line, "\(out)/receipt.json")
        } catch {
            await line.stop()
            throw error
        }
        await line.stop()
    }

    private func json(_ path: String) throws -> [String: Any] {
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    @Test("results come out again, from a receipt or its folder, and several at a time")
    func same() async throws {
        try await with { line, receipt in
            for place in [receipt, line.data("out")] {
                let verified = await line.run("verify", place)
                #expect(verified.status == 0, "\(verified.error)")
                #expect(verified.output.contains("the same to the bit"))
            }
            #expect(await line.run("verify", receipt, receipt).status == 0)
        }
    }

    @Test("a receipt has digests of the model, the recordings, the plugin and the results, and what was asked for")
    func content() async throws {
        try await with { line, receipt in
            let json = try json(receipt)
            #expect(json["format"] as? String == "auscult-receipt/1")
            let provenance = try #require(json["provenance"] as? [String: Any])
            #expect((provenance["model_sha256"] as? String)?.count == 64)
            #expect((json["plugin_sha256"] as? String)?.count == 64)
            let recordings = try #require(json["recordings"] as? [[String: String]])
            #expect(recordings.map { $0["name"] } == ["1.wav", "2.wav", "3.wav"])
            #expect(Set(recordings.map { $0["sha256"] }).count == 3)
            let request = try #require(json["request"] as? [String: Any])
            #expect((request["arguments"] as? [String: String])?["gain"]?.hasPrefix("2") == true)
            #expect(request["seed"] as? Int == 7)
            #expect(request["data_sets"] as? [String] == [line.data("set")])
            #expect((json["results"] as? [Any])?.isEmpty == false)
        }
    }

    @Test("another sound is told by its name, and so is the result that it changes")
    func changedRecording() async throws {
        try await with { line, receipt in
            try line.data.write(WAV.bytes(WAV.tone(seconds: 0.6)), to: "set/2.wav")
            let verified = await line.run("verify", receipt)
            #expect(verified.status == 65)
            #expect(verified.output.contains("not as the receipt says"))
            #expect(verified.output.contains("the recording 2.wav:") && verified.output.contains("the result sum"))
            #expect(!verified.output.contains("the recording 1.wav"))
            #expect(verified.error.contains("1 of 1 receipts"))
        }
    }

    @Test("a receipt that was changed, is none, is cut short or is not there is refused, and says why")
    func broken() async throws {
        try await with { line, receipt in
            let text = try String(contentsOfFile: receipt, encoding: .utf8)
            func refused(_ text: String, _ status: Int32, _ words: String) async throws {
                try line.data.write(Array(text.utf8), to: "other.json")
                let verified = await line.run("verify", line.data("other.json"))
                #expect(verified.status == status && verified.error.contains(words), "\(verified.error)")
            }
            try await refused(text.replacingOccurrences(of: "\"gain\": \"2", with: "\"gain\": \"3"), 65, "was changed")
            try await refused("{}", 65, "is no receipt")
            try await refused(String(text.prefix(text.count / 2)), 65, "is no receipt")
            let missing = await line.run("verify", line.data("nowhere"))
            #expect(missing.status == 66 && missing.error.contains("there is no receipt"))
        }
    }
}
