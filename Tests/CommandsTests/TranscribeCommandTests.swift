import Daemon
import Foundation
import TestSupport
import Testing

@Suite("auscult transcribe") struct TranscribeCommandTests {
    private func objects(_ result: CommandResult) throws -> [[String: Any]] {
        try #require(JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [[String: Any]])
    }

    @Test("an embedded clip becomes text, without a word on standard error")
    func text() async throws {
        let result = try await auscult("transcribe", "demo:en-slt-01", "--temperature", "0")
        #expect(result.status == 0)
        #expect(result.output.hasSuffix("\n"))
        #expect(result.error.isEmpty)
        let timed = try await auscult("transcribe", "demo:en-slt-01", "--temperature", "0", "--timestamps")
        #expect(timed.output.hasPrefix("[00:0"))
    }

    @Test("JSON is an array with an object a file, with the documented members")
    func json() async throws {
        let result = try await auscult(
            "transcribe", "demo:en-slt-01", "demo:fr-male-01", "--format", "json", "--word-timestamps")
        let files = try objects(result)
        #expect(files.compactMap { $0["file"] as? String } == ["demo:en-slt-01", "demo:fr-male-01"])
        #expect(files.compactMap { $0["language"] as? String }.count == 2)
        for file in files {
            #expect(file["text"] is String && file["duration"] is Double)
            let segments = try #require(file["segments"] as? [[String: Any]])
            for segment in segments {
                for key in [
                    "id", "start", "end", "text", "tokens", "temperature", "avg_logprob", "compression_ratio",
                    "no_speech_prob",
                ] { #expect(segment[key] != nil, "\(key)") }
                let words = try #require(segment["words"] as? [[String: Any]])
                for key in ["word", "start", "end", "probability"] { #expect(words.allSatisfy { $0[key] != nil }) }
            }
        }
    }

    @Test("several files are labelled, and subtitles of several go to a folder only")
    func several() async throws {
        let data = try TemporaryFolder()
        let clips = ["demo:en-slt-01", "demo:en-slt-04"]
        let text = try await auscult(arguments: ["transcribe"] + clips)
        #expect(
            text.output.split(separator: "\n").map { $0.prefix { $0 != " " } } == [
                "demo:en-slt-01:", "demo:en-slt-04:",
            ])
        #expect(try await auscult(arguments: ["transcribe"] + clips + ["--format", "vtt"]).status == 64)
        let files = try await auscult(
            arguments: ["transcribe"] + clips + ["--format", "vtt", "--out", data("subtitles")], data: data)
        #expect(files.status == 0)
        #expect(try data.names() == ["subtitles"])
        for name in ["en-slt-01.vtt", "en-slt-04.vtt"] {
            #expect(try String(contentsOfFile: data("subtitles/" + name), encoding: .utf8).hasPrefix("WEBVTT\n\n"))
        }
    }

    @Test("two results of one name are refused before any work")
    func sameStem() async throws {
        let data = try TemporaryFolder()
        let result = try await auscult("transcribe", "a/x.wav", "b/x.wav", "--out", data("o"), data: data)
        #expect(result.status == 64)
        #expect(try data.names().isEmpty)
    }

    @Test("a broken file is reported, the others are done, and the status is its own")
    func oneBroken() async throws {
        let data = try TemporaryFolder()
        try data.write(Array("no sound".utf8), to: "noise.wav")
        let result = try await auscult(
            "transcribe", data("noise.wav"), "demo:en-slt-01", data("absent.wav"), "--format", "json", data: data)
        #expect(result.status == 65)
        #expect(try objects(result).compactMap { $0["file"] as? String } == ["demo:en-slt-01"])
        let errors = result.error.split(separator: "\n")
        #expect(errors.count == 2)
        #expect(errors.allSatisfy { $0.hasPrefix("auscult: error: ") })
        #expect(errors.first?.contains("noise.wav") == true && errors.last?.contains("absent.wav") == true)
    }

    @Test("times are those of the whole file where only a part is written down")
    func span() async throws {
        let result = try await auscult(
            "transcribe", "demo:en-long-01", "--start", "10", "--end", "14", "--format", "json")
        let file = try #require(try objects(result).first)
        #expect(file["duration"] as? Double == 4)
        let segments = try #require(file["segments"] as? [[String: Any]])
        #expect(segments.allSatisfy { ($0["start"] as? Double ?? 0) >= 10 })
    }

    @Test("raw samples on standard input are what the same samples in a file are")
    func standardInput() throws {
        let data = try TemporaryFolder()
        let tone = WAV.tone(seconds: 1.5)
        try data.write(WAV.bytes(tone), to: "tone.wav")
        try data.write(tone.flatMap { WAV.little($0) }, to: "tone.raw")
        let input = try #require(FileHandle(forReadingAtPath: data("tone.raw")))
        let arguments = ["--hooks", "log_mel", "encoder.ln_post", "--out"]
        let raw = try Child(["trace", "-"] + arguments + [data("raw.npz")], data: data, input: input).result()
        #expect(raw.status == 0, "\(raw.error)")
        #expect(
            try Child.run("trace", data("tone.wav"), "--hooks", "log_mel", "encoder.ln_post", "--out", data("wav.npz"))
                .output.replacingOccurrences(of: "wav.npz", with: "raw.npz") == raw.output)
        let (a, b) = (
            FileManager.default.contents(atPath: data("raw.npz")), FileManager.default.contents(atPath: data("wav.npz"))
        )
        // The tensors are equal; the metadata, which name the input, are not.
        #expect(a?.prefix(40_000) == b?.prefix(40_000))
    }

    @Test("a sound file through a pipe that only the caller can read is heard like the file", arguments: [true, false])
    func pipe(isNamed: Bool) throws {
        let data = try TemporaryFolder()
        let clip = try #require(EmbeddedFile.files(in: "demo").first { $0.name == "en-slt-01.flac" })
        let file = try data.write(clip.bytes, to: "clip.flac")
        let path = isNamed ? data("pipe") : "/dev/stdin"
        if isNamed {
            #expect(mkfifo(path, 0o600) == 0)
            Thread.detachNewThread {
                let bytes = FileManager.default.contents(atPath: file) ?? Data()
                try? FileHandle(forWritingAtPath: path)?.write(contentsOf: bytes)
            }
        }
        let input = try #require(FileHandle(forReadingAtPath: file))
        let result = try Child(["transcribe", path], data: data, input: input).result()
        #expect(result.status == 0, "\(result.error)")
        #expect(result.output == (try Child.run("transcribe", file, data: data).output))
        let job = try Child(["transcribe", path, "--detach"], data: data, input: input).result()
        #expect(job.status == 64 && job.error.contains(path), "\(job.error)")
    }
}
