import Foundation
import TestSupport
import Testing

@Suite("auscult jobs") struct JobsCommandTests {
    let data: TemporaryFolder
    init() throws { data = try TemporaryFolder() }

    private func run(_ arguments: String...) throws -> CommandResult { try Child(arguments, data: data).result() }

    @Test("a job outlives the command that started it, and its result is that of the command itself")
    func transcript() throws {
        let started = try run("transcribe", "demo:en-slt-01", "demo:fr-male-01", "--temperature", "0", "--detach")
        #expect(started.status == 0, "\(started.error)")
        let ids = started.output.split(separator: "\n").map(String.init)
        #expect(ids.count == 2)
        let id = try #require(ids.first)
        let watched = try run("jobs", "watch", id)
        #expect(watched.status == 0, "\(watched.error)")
        let direct = try run("transcribe", "demo:en-slt-01", "--temperature", "0")
        #expect(watched.output == direct.output)
        for format in ["text", "srt", "vtt"] {
            let expected = try run("transcribe", "demo:en-slt-01", "--temperature", "0", "--format", format)
            #expect(try run("jobs", "result", id, "--format", format).output == expected.output)
        }
        let list = try run("jobs", "--format", "json")
        let jobs = try #require(JSONSerialization.jsonObject(with: Data(list.output.utf8)) as? [[String: Any]])
        #expect(jobs.compactMap { $0["label"] as? String } == ["demo:en-slt-01", "demo:fr-male-01"])
        #expect(try run("jobs", "cancel", id).output == "\(id): succeeded\n")
        #expect(try run("jobs", "forget", id).status == 0)
        #expect(try run("jobs", "result", id).status == 66)
    }

    @Test("events of a job are JSON lines in order, the last of which says how it ended")
    func events() throws {
        let id = try run("transcribe", "demo:en-slt-01", "--detach").output.trimmingCharacters(in: .newlines)
        let lines = try run("jobs", "watch", id, "--format", "json").output.split(separator: "\n")
        let events = try lines.map {
            try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        #expect(events.compactMap { $0["seq"] as? Int } == Array(1...events.count))
        #expect((events.last?["state"] as? [String: Any])?["state"] as? String == "succeeded")
    }

    @Test("a trace that is a job writes its file and keeps its summary")
    func trace() throws {
        let started = try run("trace", "demo:en-slt-01", "--hooks", "log_mel", "--out", data("t.npz"), "--detach")
        let id = started.output.trimmingCharacters(in: .newlines)
        #expect(try run("jobs", "watch", id).status == 0)
        let summary = try run("jobs", "result", id)
        #expect(summary.output.contains("1 tensors in \(data("t.npz"))"))
        #expect(FileManager.default.fileExists(atPath: data("t.npz")))
        #expect(try run("jobs", "result", id, "--format", "srt").status == 64)
    }

    @Test("a job that fails ends its watcher, and whoever wants its result, with its own status")
    func failure() throws {
        try data.write(Array("no sound".utf8), to: "noise.wav")
        let id = try run("transcribe", data("noise.wav"), "--detach").output.trimmingCharacters(in: .newlines)
        for command in ["watch", "result"] {
            let result = try run("jobs", command, id)
            #expect(result.status == 65, "\(command): \(result.error)")
            #expect(result.error.contains("noise.wav"))
        }
    }

    @Test("standard input is nothing for a job, nor is a form for what is not printed")
    func refused() throws {
        #expect(try run("transcribe", "-", "--detach").status == 64)
        #expect(try run("trace", "-", "--hooks", "log_mel", "--out", data("t.npz"), "--detach").status == 64)
        #expect(try run("transcribe", "demo:en-slt-01", "--detach", "--format", "json").status == 64)
        #expect(try run("jobs", "watch", "nothing").status == 66)
    }
}
