import Foundation
import TestSupport
import Testing

/// A running daemon with plugins, for several command lines.
struct PluginCommandLine {
    let data: TemporaryFolder
    private let daemon: InProcessDaemon

    init(_ plugins: [TestBundle]) async throws {
        data = try TemporaryFolder()
        daemon = try await InProcessDaemon(data, plugins: plugins)
        // Three recordings of different length and loudness.
        try FileManager.default.createDirectory(atPath: data("set"), withIntermediateDirectories: true)
        for number in 1...3 {
            let tone = WAV.tone(seconds: 0.3 * Double(number)).map { $0 / Int16(number) }
            try data.write(WAV.bytes(tone), to: "set/\(number).wav")
        }
    }

    func stop() async { await daemon.stop() }

    func run(_ arguments: String...) async -> CommandResult { await daemon.run(arguments) }
    func run(_ arguments: [String]) async -> CommandResult { await daemon.run(arguments) }

    /// The value of a scalar result, from the JSON form.
    func scalar(_ output: String, in result: CommandResult) throws -> Double {
        #expect(result.status == 0, "\(result.error)")
        let object = try #require(
            JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any], "\(result.error)")
        let results = try #require(object["results"] as? [[String: Any]])
        return try #require(results.first { $0["output"] as? String == output }?["value"] as? Double)
    }
}

@Suite("auscult run and merge", .serialized) struct RunCommandTests {
    /// `body` with a daemon that knows FaultyPlugin, which adds up what it is shown.
    private func with(
        _ plugins: [TestBundle]? = nil, _ body: (PluginCommandLine) async throws -> Void
    ) async throws {
        let line = try await PluginCommandLine(try plugins ?? [TestBundle()])
        do { try await body(line) } catch {
            await line.stop()
            throw error
        }
        await line.stop()
    }

    @Test("a plugin's results as text, and its arguments reach it: twice the gain is twice the sum")
    func text() async throws {
        try await with { line in
            let text = await line.run("run", "faulty", line.data("set/1.wav"))
            #expect(text.status == 0, "\(text.error)")
            #expect(text.output.contains("Sum") && text.output.contains("Clips"))
            let one = await line.run("run", "faulty", line.data("set/1.wav"), "-f", "json")
            let two = await line.run("run", "faulty", line.data("set/1.wav"), "-p", "gain=2", "-f", "json")
            let sum = try line.scalar("sum", in: one)
            #expect(sum != 0)
            // As exactly as Foundation reads decimal digits.
            #expect(abs(try line.scalar("sum", in: two) - 2 * sum) <= 1e-12 * abs(sum))
            #expect(try line.scalar("clips", in: one) == 1)
        }
    }

    @Test("the sum is that of the tensors that trace writes")
    func sameAsTrace() async throws {
        try await with { line in
            let run = await line.run("run", "faulty", line.data("set/2.wav"), "-f", "json")
            let trace = await line.run(
                "trace", line.data("set/2.wav"), "--hooks", "encoder.blocks.*", "-o", line.data("t.safetensors"))
            #expect(trace.status == 0, "\(trace.error)")
            let file = [UInt8](try Data(contentsOf: URL(fileURLWithPath: line.data("t.safetensors"))))
            let header = file.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
            let floats = file[(8 + header)...].withUnsafeBytes { bytes in
                (0..<bytes.count / 4).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
            }
            let expected = floats.reduce(0.0) { $0 + Double($1) }
            #expect(abs(try line.scalar("sum", in: run) - expected) <= 1e-9 * max(1, abs(expected)))
        }
    }

    @Test("a folder is its recordings, and so is a manifest; several workers, and an order of files, change nothing")
    func dataSets() async throws {
        try await with { line in
            let names = (1...3).map { line.data("set/\($0).wav") }
            let manifest = names.map { "{\"audio\": \"\($0)\"}\n" }.joined()
            try line.data.write(Array(manifest.utf8), to: "set.jsonl")
            let folder = await line.run("run", "faulty", line.data("set"), "-f", "json")
            let sum = try line.scalar("sum", in: folder)
            #expect(try line.scalar("clips", in: folder) == 3)
            for result in [
                await line.run("run", "faulty", names[0], names[1], names[2], "-f", "json"),
                await line.run("run", "faulty", line.data("set.jsonl"), "-f", "json"),
                await line.run("run", "faulty", line.data("set"), "--workers", "2", "-f", "json"),
            ] {
                // In parts, the same numbers are added up in another order.
                #expect(abs(try line.scalar("sum", in: result) - sum) <= 1e-9 * max(1, abs(sum)))
                #expect(try line.scalar("clips", in: result) == 3)
            }
        }
    }

    @Test("notices of recordings and folders are told, and stand in the JSON with code and text; sound ones have none")
    func notices() async throws {
        func listed(_ result: CommandResult) throws -> [String: [String: String]] {
            let json = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
            let list = try #require(json?["notices"] as? [[String: String]], "\(result.error)")
            return Dictionary(uniqueKeysWithValues: list.map { ($0["file"] ?? "", $0) })
        }
        try await with { line in
            let sound = await line.run("run", "faulty", line.data("set"), "-f", "json")
            #expect(try listed(sound).isEmpty)
            let path = line.data("set/2.wav")
            var bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
            // The number of bytes of the samples, which was never filled in.
            bytes.replaceSubrange(40..<44, with: [0, 0, 0, 0])
            try line.data.write(bytes, to: "set/2.wav")
            try line.data.write(Array("# Notes".utf8), to: "set/notes.md")
            let odd = await line.run("run", "faulty", line.data("set"), "-f", "json")
            #expect(try line.scalar("sum", in: odd) == line.scalar("sum", in: sound))
            let told = try listed(odd)
            let codes = told.mapValues { $0["code"] ?? "" }
            #expect(codes == ["2.wav": "wrong_length", line.data("set/notes.md"): "left_out"])
            for notice in told.values {
                let text = try #require(notice["text"])
                #expect(!text.isEmpty && odd.error.contains(text), "\(odd.error)")
            }
            let strict = await line.run("run", "faulty", line.data("set"), "--strict", "-f", "json")
            #expect(try line.scalar("clips", in: strict) == 2)
            #expect(strict.error.contains("left out 2.wav"), "\(strict.error)")
        }
    }

    @Test("a folder of results has the files that are named, and with a form also what is printed")
    func out() async throws {
        try await with { line in
            let written = await line.run("run", "faulty", line.data("set/1.wav"), "--out", line.data("out"))
            #expect(written.status == 0, "\(written.error)")
            let names = written.output.split(separator: "\n").map(String.init)
            for name in ["results.json", "index.html"] {
                #expect(names.contains(line.data("out/\(name)")), "\(names)")
            }
            #expect(names.allSatisfy { FileManager.default.fileExists(atPath: $0) })
            let page = await line.run("run", "faulty", line.data("set/1.wav"), "-f", "html")
            #expect(page.output.hasPrefix("<!DOCTYPE html>") && page.output.contains("org.example.faulty"))
        }
    }

    // MARK: - Bad input

    @Test(
        "arguments that are none are refused before anything runs, and say what was expected",
        arguments: [
            (["-p", "gain"], "key=value"), (["-p", "=1"], "key=value"), (["-p", "gain=11"], "10"),
            (["-p", "gain=much"], "number"), (["-p", "gian=1"], "gain"),
            (["-p", "gain=1", "-p", "gain=2"], "twice"), (["--shard", "0/2"], "1 ≤ i ≤ n"),
            (["--shard", "3/2"], "1 ≤ i ≤ n"), (["--shard", "2"], "1 ≤ i ≤ n"), (["--shard", "x/2"], "1 ≤ i ≤ n"),
            (["--shard", "1/2/3"], "1 ≤ i ≤ n"), (["--shard", "1/99999999999"], "1 ≤ i ≤ n"),
            (["--workers", "65"], "64"), (["--workers", "-1"], "workers"), (["--detach", "--out", "x"], "--detach"),
            (["--format", "pdf"], "format"), (["--intervene", "nonsense"], "nonsense"),
        ])
    func badArguments(arguments: [String], expected: String) async throws {
        let data = try TemporaryFolder()
        let daemon = try await InProcessDaemon(data, plugins: [TestBundle()])
        let result = await daemon.run(["run", "faulty", "demo:en-slt-01"] + arguments)
        await daemon.stop()
        #expect(result.status == 64, "\(result.status): \(result.error)")
        #expect(result.output.isEmpty && result.error.contains(expected), "\(result.error)")
    }

    @Test("a plugin that is not there is answered with the nearest ids")
    func unknown() async throws {
        try await with { line in
            for arguments in [[], ["-p", "gain=1"]] {
                let result = await line.run(["run", "fulty", "demo:en-slt-01"] + arguments)
                #expect(result.status == 66 && result.error.contains("org.example.faulty"), "\(result.error)")
            }
        }
    }

    @Test("no recording at all, one that is not there, and one that is none")
    func recordings() async throws {
        try await with { line in
            #expect(await line.run("run", "faulty").status == 64)
            let absent = await line.run("run", "faulty", line.data("absent.wav"), "--stop-at-broken")
            #expect(absent.status == 66 && absent.error.contains("absent.wav"), "\(absent.error)")
            try line.data.write(Array("no sound".utf8), to: "set/2.wav")
            let left = await line.run("run", "faulty", line.data("set"), "-f", "json")
            #expect(try line.scalar("clips", in: left) == 2)
            #expect(left.error.contains("left out") && left.error.contains("2.wav"))
            let ended = await line.run("run", "faulty", line.data("set"), "--stop-at-broken")
            #expect(ended.status == 65 && ended.error.contains("2.wav"), "\(ended.error)")
        }
    }

    @Test("a plugin that crashes, or breaks a rule, is told by its id; the next run is answered")
    func crash() async throws {
        try await with { line in
            // What the plugin itself refuses is told with its own code: here, an argument that it cannot use.
            for (fault, status) in [("abort", 69), ("nan", 64)] as [(String, Int32)] {
                let result = await line.run("run", "faulty", line.data("set/1.wav"), "-p", "fault=\(fault)")
                #expect(result.status == status, "\(fault): \(result.status)")
                #expect(result.error.contains("org.example.faulty"), "\(result.error)")
            }
            #expect(await line.run("run", "faulty", line.data("set/1.wav")).status == 0)
        }
    }

    @Test("a place that cannot be written to is named, and what was asked for as text is still printed")
    func notWritable() async throws {
        try await with { line in
            try line.data.write([1], to: "file")
            for place in [line.data("file"), line.data("file/below"), "/proc/nowhere"] {
                let result = await line.run("run", "faulty", line.data("set/1.wav"), "--out", place)
                #expect(result.status == 73 && result.error.contains(place), "\(result.status) \(result.error)")
                let shown = await line.run("run", "faulty", line.data("set/1.wav"), "--out", place, "-f", "text")
                #expect(shown.status == 73 && shown.output.contains("Clips"))
                let kept = await line.run("run", "faulty", line.data("set/1.wav"), "--state", place + "/s")
                #expect(kept.status == 73 && kept.error.contains(place), "\(kept.status) \(kept.error)")
            }
        }
    }

    // MARK: - Jobs, checkpoints, merging

    @Test("as a job it prints its id, and the job's results are those of the run")
    func detached() async throws {
        try await with { line in
            let started = await line.run("run", "faulty", line.data("set"), "--detach")
            let id = started.output.trimmingCharacters(in: .newlines)
            #expect(started.status == 0 && !id.isEmpty)
            #expect(await line.run("jobs", "watch", id).status == 0)
            let direct = await line.run("run", "faulty", line.data("set"), "-f", "json")
            let job = await line.run("jobs", "result", id, "--format", "json")
            let sum = try line.scalar("sum", in: direct)
            #expect(try line.scalar("sum", in: job) == sum)
        }
    }

    @Test("two shards are merged into what one run gives, and a run with a checkpoint that is complete hears nothing")
    func merge() async throws {
        try await with { line in
            let whole = await line.run(
                "run", "faulty", line.data("set"), "--checkpoint", line.data("check"), "-f", "json")
            let sum = try line.scalar("sum", in: whole)
            for shard in 1...2 {
                let part = await line.run(
                    "run", "faulty", line.data("set"), "--shard", "\(shard)/2", "--state", line.data("\(shard).state"))
                #expect(part.status == 0, "\(part.error)")
            }
            let merged = await line.run(
                "merge", line.data("2.state"), line.data("1.state"), "--state", line.data("all"), "-f", "json")
            #expect(abs(try line.scalar("sum", in: merged) - sum) <= 1e-9 * max(1, abs(sum)))
            #expect(try line.scalar("clips", in: merged) == 3)
            let again = await line.run("merge", line.data("all"), "-f", "json")
            #expect(try line.scalar("clips", in: again) == 3)
            let resumed = await line.run(
                "run", "faulty", line.data("set"), "--checkpoint", line.data("check"), "-f", "json")
            #expect(try line.scalar("sum", in: resumed) == sum)
            #expect(try line.data.names().filter { $0.hasSuffix(".lock") }.isEmpty)
        }
    }

    @Test("a run that was given no recording, since all were left out, does not succeed; a part without any does")
    func nothingHeard() async throws {
        try await with { line in
            try FileManager.default.createDirectory(atPath: line.data("notes"), withIntermediateDirectories: true)
            try line.data.write(Array("# Notes".utf8), to: "notes/a.md")
            try line.data.write(Array("no sound".utf8), to: "notes/b.wav")
            let none = await line.run("run", "faulty", line.data("notes"))
            #expect(none.status == 66 && none.error.contains("no recording was heard"), "\(none.status) \(none.error)")
            let last = await line.run("run", "faulty", line.data("set"), "--shard", "64/64")
            #expect(last.status == 0, "\(last.error)")
        }
    }

    @Test("states that do not belong together, or are none, are refused by name")
    func mismatches() async throws {
        try await with([try TestBundle(), try TestBundle(analysis: "attention-stats")]) { line in
            func state(_ name: String, _ arguments: [String]) async {
                let base = ["run"] + arguments + ["--state", line.data(name)]
                let result = await line.run(base)
                #expect(result.status == 0, "\(result.error)")
            }
            await state("a", ["faulty", line.data("set"), "--shard", "1/2"])
            await state("b", ["faulty", line.data("set"), "--shard", "2/2", "-p", "gain=2"])
            await state("c", ["attention-stats", line.data("set"), "--shard", "2/2"])
            for (files, status, expected) in [
                (["a", "b"], 65, "gain=2"), (["a", "c"], 65, "attention-stats"), (["a", "a"], 65, "same recordings"),
                (["a", "absent"], 66, "absent"), (["a", "set/1.wav"], 65, "1.wav"), (["set"], 64, "set"),
            ] as [([String], Int32, String)] {
                let result = await line.run(["merge"] + files.map { line.data($0) })
                #expect(result.status == status, "\(files): \(result.status) \(result.error)")
                #expect(result.output.isEmpty && result.error.contains(expected), "\(result.error)")
            }
            #expect(await line.run("merge").status == 64)
            // A checkpoint of another run is not gone on from.
            let other = await line.run("run", "faulty", line.data("set"), "--checkpoint", line.data("a"))
            #expect(other.status == 65 && other.error.contains(line.data("a")), "\(other.status) \(other.error)")
        }
    }

    @Test("a path among the arguments is that of the folder where the command runs")
    func paths() async throws {
        try await with([try TestBundle(analysis: "bigrams")]) { line in
            // A relative path leads from the working folder of this process; it is given so that it leaves it at once.
            let up = String(
                repeating: "../", count: FileManager.default.currentDirectoryPath.split(separator: "/").count)
            try line.data.write(Array("the goat is cold but the horse is famous\n".utf8), to: "corpus.txt")
            let result = await line.run("run", "bigrams", "-p", "corpus=\(up.dropLast())\(line.data("corpus.txt"))")
            #expect(result.status == 0 && result.output.contains("8 bigrams"), "\(result.output)\(result.error)")
        }
    }
}
