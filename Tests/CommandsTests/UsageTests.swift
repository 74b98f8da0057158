import Foundation
import TestSupport
import Testing

@Suite("Command lines that make no sense") struct UsageTests {
    @Test(
        "are refused with status 64, a sentence on standard error, and no output",
        arguments: [
            ["transcribe"], ["frobnicate"], ["transcribe", "a.wav", "--format", "pdf"],
            ["transcribe", "a.wav", "--start", "3", "--end", "2"], ["transcribe", "a.wav", "--start", "-1"],
            ["transcribe", "a.wav", "--start", "nan"], ["transcribe", "a.wav", "--temperature", "warm"],
            ["transcribe", "a.wav", "--temperature", "-1"], ["transcribe", "a.wav", "--quiet", "--verbose"],
            ["transcribe", "-", "-"], ["transcribe", "a.wav", "b.wav", "--format", "srt"],
            ["transcribe", "demo:en-slt-01", "--language", "tlhIngan"],
            ["transcribe", "demo:en-slt-01", "--beam-size", "0"],
            ["transcribe", "demo:en-slt-01", "--beam-size", "9999999"],
            ["transcribe", "demo:en-slt-01", "--intervene", "encoder.nowhere = zero"],
            ["transcribe", "demo:en-slt-01", "--intervene", "encoder.ln_post = frobnicate"],
            ["transcribe", "demo:en-slt-01", "--start", "100"],
            ["hooks", "--tokens", "0"], ["hooks", "--tokens", "1000000"], ["hooks", "encoder.nowhere"],
            ["trace", "demo:en-slt-01", "--out", "t.npz"], ["trace", "demo:en-slt-01", "--hooks", "log_mel"],
            ["trace", "demo:", "--hooks", "log_mel", "--out", "t.npz"],
            ["trace", "demo:en-slt-01", "--hooks", "log_mel", "--out", "t.txt"],
            ["trace", "demo:en-slt-01", "--hooks", "decoder.logits", "--tokens", "1,x", "--out", "t.npz"],
            ["trace", "demo:en-slt-01", "--hooks", "decoder.logits", "--tokens", "1", "--text", "a", "--out", "t.npz"],
            ["trace", "demo:en-slt-01", "--hooks", "decoder.logits", "--tokens", "999999999", "--out", "t.npz"],
            ["hooks", "--precision", "int7"], ["precision"], ["precision", "demo:en-slt-01", "--hooks", "nowhere"],
            ["models", "add"], ["models", "add", ".", "--name", "a/b"], ["hooks", "--vocab", "x"],
        ])
    func refused(arguments: [String]) async throws {
        let data = try TemporaryFolder()
        let result = try await auscult(arguments: arguments.map { $0.hasPrefix("t.") ? data($0) : $0 }, data: data)
        #expect(result.status == 64, "\(result.error)")
        #expect(result.output.isEmpty)
        #expect(result.error.hasPrefix("auscult: error: "))
        #expect(try data.names().allSatisfy { !$0.contains("t.") })
    }

    @Test("an unknown hook is answered with the nearest names")
    func nearestHook() async throws {
        let result = try await auscult("hooks", "encoder.blocks.0.mpl")
        #expect(result.error.contains("encoder.blocks.0.mlp"))
    }

    @Test("an unknown model is answered with those there are, and how to get a released one")
    func unknownModel() async throws {
        let result = try await auscult("hooks", "--model", "tiny")
        #expect(result.status == 66)
        #expect(result.error.contains("default"))
        #expect(result.error.contains("auscult models pull tiny"))
        #expect(try await auscult("hooks", "--model", "./no/such/folder").status == 66)
    }

    @Test("an unknown clip is answered with the nearest names")
    func unknownClip() async throws {
        let result = try await auscult("transcribe", "demo:en-slt-1")
        #expect(result.status == 66)
        #expect(result.error.contains("en-slt-01"))
    }
}
