import ArgumentParser
import Foundation
import TestSupport
import Testing

@testable import Bench

struct ArgumentsTests {
    @Test("Without a subcommand every layer is measured")
    func all() throws {
        #expect(try BenchProgram.parseAsRoot(["--quick"]) is BenchProgram.All)
        #expect(try BenchProgram.parseAsRoot(["encoder"]) is LayerCommand<Layer.Encoder>)
    }

    @Test(
        "What makes no sense is refused, and the message says what was expected",
        arguments: [
            (["walls"], "walls"), (["encoder", "--threads", "0"], "--threads has '0'"),
            (["encoder", "--rounds", "0"], "--rounds is 0"), (["encoder", "--sizes", "huge"], "--sizes has 'huge'"),
            (["all", "--only", "encoder,walls"], "--only has 'walls'"),
            (["rpc", "--only", "live"], "wire, daemon, plugins"),
            (["mel", "--rounds", "many"], "many"),
        ])
    func refused(arguments: [String], message: String) {
        do {
            _ = try BenchProgram.parseAsRoot(arguments)
            Issue.record("\(arguments) was taken")
        } catch {
            #expect(BenchProgram.fullMessage(for: error).contains(message))
            #expect(BenchProgram.exitCode(for: error) != .success)
        }
    }

    @Test("Threads and sizes are lists; a quick run has few rounds and small sizes")
    func options() throws {
        let options = try BenchOptions.parse(["--threads", "1, 3", "--quick", "--only", "auscult,transformers"])
        #expect(try options.threadCounts == [1, 3])
        #expect(try options.modelSizes == [.tiny, .base])
        #expect(options.roundCount == 3)
        #expect(options.wants("auscult") && !options.wants("ctranslate2"))
        #expect(try BenchOptions.parse(["--sizes", "large-v3"]).modelSizes == [.largeV3])
        #expect(try BenchOptions.parse([]).roundCount == 11)
    }

    @Test("A manifest gives its recordings in English; one without any, or with a broken line, is told")
    func manifest() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/data.jsonl"
        try """
        {"path": "a.wav", "language": "en"}
        {"path": "b.wav", "language": "fr"}
        {"path": "/c.wav"}
        """.write(toFile: path, atomically: true, encoding: .utf8)
        #expect(try TranscriptionBench.files(path, limit: 9) == [folder.path + "/a.wav", "/c.wav"])
        #expect(try TranscriptionBench.files(path, limit: 1).count == 1)
        try "{}\n".write(toFile: path, atomically: true, encoding: .utf8)
        #expect { try TranscriptionBench.files(path, limit: 9) } throws: { "\($0)".contains("line 1") }
        try "".write(toFile: path, atomically: true, encoding: .utf8)
        #expect(throws: BenchError.self) { try TranscriptionBench.files(path, limit: 9) }
        #expect(throws: BenchError.self) { try TranscriptionBench.files("/nowhere.jsonl", limit: 9) }
    }
}
