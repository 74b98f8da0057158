import Foundation
import TensorFiles
import TestSupport
import Testing
import Whisper

@Suite("auscult trace") struct TraceCommandTests {
    let data: TemporaryFolder
    init() throws { data = try TemporaryFolder() }

    private func trace(_ arguments: String...) async throws -> SafetensorsFile {
        let result = try await auscult(arguments: ["trace"] + arguments + ["--out", data("t.safetensors")], data: data)
        #expect(result.status == 0, "\(result.error)")
        return try SafetensorsFile(path: data("t.safetensors"))
    }

    private func description(_ file: SafetensorsFile, _ name: String) throws -> [String: Any] {
        let text = try #require(file.metadata[name])
        return try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    @Test("the hooks named are in the file, with valid frames only, shapes, axes and the model's digest")
    func encoderAndDecoder() async throws {
        let file = try await trace("demo:en-slt-01", "--hooks", "encoder.blocks.*", "decoder.logits")
        #expect(
            file.names == [
                "decoder.logits", "encoder.blocks.0", "encoder.blocks.1", "encoder.blocks.2", "encoder.blocks.3",
            ])
        // 2.4 s are 120 frames.
        #expect(file.shape(of: "encoder.blocks.2")?.first == 120)
        let block = try description(file, "encoder.blocks.2")
        #expect(block["axes"] as? [String] == ["frame", "state"])
        #expect(block["first_frame"] as? Int == 0)
        #expect(block["frames_per_second"] as? Double == 50)
        #expect(block["valid_frames"] as? Int == 120)
        #expect(block["dtype"] as? String == "F32")
        #expect(file.metadata["model"] == "default")
        #expect(file.metadata["model_sha256"]?.count == 64)
        #expect(file.metadata["precision"] == "exact")
        let made = try description(file, "provenance")
        #expect(made["model"] as? String == "default" && made["padding"] as? String == "sound")
        #expect(made["auscult"] as? String != nil && made["interventions"] as? [String] == [])
        let tokens = try JSONDecoder().decode([[Int]].self, from: Data((file.metadata["tokens"] ?? "").utf8))
        #expect(file.shape(of: "decoder.logits")?.first == tokens.first?.count)
    }

    @Test("all frames are the model's window, and a reduction takes their axis away")
    func framesAndReduction() async throws {
        let all = try await trace("demo:en-slt-01", "--hooks", "log_mel", "encoder.conv1", "--frames", "all")
        #expect(all.shape(of: "log_mel") == [80, 1000])
        #expect(all.shape(of: "encoder.conv1")?.first == 1000)
        let valid = try await trace("demo:en-slt-01", "--hooks", "log_mel", "encoder.conv1")
        #expect(valid.shape(of: "log_mel") == [80, 240])
        #expect(valid.shape(of: "encoder.conv1")?.first == 240)
        let values = try valid.tensor(named: "log_mel")
        let most = try await trace("demo:en-slt-01", "--hooks", "log_mel", "encoder.conv1", "--reduce", "max")
        #expect(most.shape(of: "log_mel") == [80])
        #expect(try most.tensor(named: "log_mel")[3] == values.rows(3..<4).elements.max())
        #expect(most.shape(of: "encoder.conv1")?.count == 1)
    }

    @Test("a long recording is taken window by window, each with its own names and first frame")
    func windows() async throws {
        try data.write(WAV.bytes(WAV.tone(seconds: 23)), to: "long.wav")
        let file = try await trace(data("long.wav"), "--hooks", "encoder.ln_post")
        #expect(file.names == (1...3).map { "encoder.ln_post@window\($0)" })
        #expect(file.shape(of: "encoder.ln_post@window3")?.first == 150)
        #expect(try description(file, "encoder.ln_post@window3")["first_frame"] as? Int == 1000)
    }

    @Test("the decoder reads given ids after the start tokens, or exactly those that begin with the first of them")
    func givenTokens() async throws {
        let free = try await trace("demo:en-slt-01", "--hooks", "decoder.ln", "--tokens", "5,6,7", "--language", "en")
        let tokens = try JSONDecoder().decode([[Int]].self, from: Data((free.metadata["tokens"] ?? "").utf8))
        #expect(tokens.first?.suffix(3) == [5, 6, 7])
        #expect(tokens.first?.count == 6)
        let exact = (tokens.first ?? []).map(String.init).joined(separator: ",")
        let same = try await trace("demo:en-slt-01", "--hooks", "decoder.ln", "--tokens", exact)
        #expect(same.metadata["tokens"] == free.metadata["tokens"])
        #expect(try same.tensor(named: "decoder.ln").elements == free.tensor(named: "decoder.ln").elements)
        let text = try await trace("demo:en-slt-01", "--hooks", "decoder.ln", "--text", "the goat")
        #expect(try #require(text.shape(of: "decoder.ln")?.first) > 4)
    }

    @Test("an intervention changes what is traced after it")
    func intervention() async throws {
        let changed = try await trace(
            "demo:en-slt-01", "--hooks", "encoder.ln_post", "--intervene", "encoder.ln_post = zero")
        #expect(try changed.tensor(named: "encoder.ln_post").elements.allSatisfy { $0 == 0 })
    }

    @Test(
        "an output that cannot be made is refused with status 73 before any work",
        arguments: ["absent/t.npz", "folder.npz"])
    func unwritable(name: String) async throws {
        try FileManager.default.createDirectory(atPath: data("folder.npz"), withIntermediateDirectories: true)
        let result = try await auscult("trace", "demo:en-slt-01", "--hooks", "log_mel", "--out", data(name), data: data)
        #expect(result.status == 73)
        #expect(result.error.contains(data(name)))
    }
}
