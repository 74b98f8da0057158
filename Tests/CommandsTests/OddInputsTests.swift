import Files
import Foundation
import TestSupport
import Testing

/// Whatever people have: a folder of odd files, which `Tests/Fixtures/inputs/make.py` makes, and what openai-whisper
/// writes down of the sounds in them.
@Suite("Odd inputs") struct OddInputsTests {
    private struct Expected: Decodable {
        var heard: [String]
        var notice: String?
        var refusal: String?
        var left_out: Bool
        var exact: Bool
    }

    private struct Reference: Decodable { var texts: [String: String] }

    private static let python = ["/usr/bin/python3", "/usr/local/bin/python3"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }
    private static let ffmpeg: String? = {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let places: [String] = path.split(separator: ":").map { "\($0)/ffmpeg" }
        return places.first { FileManager.default.isExecutableFile(atPath: $0) }
    }()

    private func objects(_ text: String) throws -> [[String: Any]] {
        try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]])
    }

    @Test(
        "each of forty becomes a text, a text with a notice, or a refusal",
        .enabled(if: python != nil && ffmpeg != nil, "python3 or ffmpeg is not installed"))
    func folder() async throws {
        let data = try TemporaryFolder()
        let make = Process()
        make.executableURL = URL(filePath: try #require(Self.python))
        make.arguments = [Fixtures.path("inputs/make.py"), data("odd")]
        try make.run()
        make.waitUntilExit()
        try #require(make.terminationStatus == 0)
        let expected = try JSONDecoder().decode(
            [String: Expected].self, from: Data(contentsOf: URL(filePath: data("expected.json"))))
        let texts = try JSONDecoder().decode(
            Reference.self, from: Data(contentsOf: URL(filePath: Fixtures.path("inputs/reference.json")))
        ).texts
        #expect(expected.count >= 40)

        let result = try await auscult(
            "transcribe", data("odd"), "--temperature", "0", "--language", "en", "--format", "json", data: data)
        let files = Dictionary(
            uniqueKeysWithValues: try objects(result.output).map { file in
                (String((file["file"] as? String ?? "").dropFirst(data("odd").count + 1)), file)
            })
        #expect(result.status == 65, "some are refused, so it does not end with 0")
        for (name, right) in expected {
            guard !right.left_out, right.refusal == nil else {
                #expect(files[name] == nil)
                let lines = result.error.split(separator: "\n").filter { $0.contains("/\(name):") }
                #expect(lines.count == 1, "\(name): \(lines)")
                #expect(lines.allSatisfy { $0.contains(right.refusal ?? "left out") }, "\(lines)")
                continue
            }
            let file = try #require(files[name], "\(name): \(result.error)")
            let codes = (file["notices"] as? [[String: String]] ?? []).compactMap { $0["code"] }
            let wanted = right.notice?.split(separator: " ").map(String.init) ?? []
            #expect(Set(codes).isSubset(of: wanted) && codes.isEmpty == wanted.isEmpty, "\(name): \(codes)")
            for notice in file["notices"] as? [[String: String]] ?? [] {
                #expect(result.error.contains(notice["text"] ?? "?"), "\(name)")
            }
            let text = try #require(file["text"] as? String)
            if let reference = texts[right.heard.joined(separator: " ")] {
                if right.exact, name != "chained.flac" { #expect(text == reference, "\(name)") }
                // Cut files lack a quarter, and codecs cost a small model some letters.
                #expect(likeness(text, reference) > 0.5, "\(name): \(text)")
            }
            let duration = file["duration"] as? Double ?? 0
            for segment in file["segments"] as? [[String: Any]] ?? [] {
                #expect((segment["end"] as? Double ?? .infinity) <= duration, "\(name)")
            }
        }
    }

    /// The share of the reference's pairs of letters that the text has.
    private func likeness(_ text: String, _ reference: String) -> Double {
        func pairs(_ text: String) -> Set<String> {
            let letters = Array(text.filter(\.isLetter))
            return Set(zip(letters, letters.dropFirst()).map { "\($0)\($1)" })
        }
        let wanted = pairs(reference)
        return Double(wanted.intersection(pairs(text)).count) / Double(max(wanted.count, 1))
    }

    @Test("a sound file on standard input is read as what it is, and raw samples where it is none, or on demand")
    func standardInput() throws {
        let data = try TemporaryFolder()
        let tone = WAV.tone(seconds: 1)
        let file = try data.write(WAV.bytes(tone), to: "tone.wav")
        let mp3 = Fixtures.path("audio/voice.mp3")
        for path in [file, mp3] {
            let arguments = ["transcribe", "-", "--temperature", "0", "--format", "json"]
            let input = try #require(FileHandle(forReadingAtPath: path))
            let piped = try Child(arguments, data: data, input: input).result()
            #expect(piped.status == 0, "\(piped.error)")
            let named = try Child.run("transcribe", path, "--temperature", "0", "--format", "json", data: data)
            let (a, b) = (try objects(piped.output), try objects(named.output))
            #expect(a.first?["duration"] as? Double == b.first?["duration"] as? Double)
            #expect(a.first?["text"] as? String == b.first?["text"] as? String)
        }
        let input = try #require(FileHandle(forReadingAtPath: file))
        let raw = try Child(["transcribe", "-", "--raw", "--format", "json"], data: data, input: input).result()
        #expect(raw.status == 0 && raw.error.contains("a sound file (WAV)"), "\(raw.error)")
        #expect(try objects(raw.output).first?["duration"] as? Double == 1 + 22.0 / 16_000)
    }

    @Test("one that is strict refuses what would be a notice")
    func strict() async throws {
        let data = try TemporaryFolder()
        try data.write(WAV.bytes(WAV.tone(seconds: 1)).dropLast(8000), to: "cut.wav")
        let lenient = try await auscult("transcribe", data("cut.wav"), "--format", "json", data: data)
        #expect(lenient.status == 0 && lenient.error.contains("is cut short"), "\(lenient.error)")
        let strict = try await auscult("transcribe", data("cut.wav"), "--strict", data: data)
        #expect(strict.status == 65 && strict.error.contains("is cut short"), "\(strict.error)")
        #expect(try await auscult("transcribe", "demo:en-slt-01", "--strict", data: data).status == 0)
    }

    @Test("a file that is called like a clip is heard, and stops no other", arguments: ["demo:x.wav", "./demo:x.wav"])
    func calledLikeAClip(argument: String) throws {
        let data = try TemporaryFolder()
        try data.write(WAV.bytes(WAV.tone(seconds: 1)), to: "demo:x.wav")
        let child = try Child(
            ["transcribe", argument, "demo:absent", "demo:en-slt-01", "--format", "json"], data: data, folder: data.path
        )
        let result = child.result()
        #expect(result.status == 66 && result.error.contains("demo:absent") || result.error.contains("absent"))
        #expect(try objects(result.output).compactMap { $0["file"] as? String } == [argument, "demo:en-slt-01"])
    }

    @Test("a manifest of any form is taken, with its parts", arguments: ["csv", "json", "ndjson", "tab"])
    func manifests(ending: String) async throws {
        let data = try TemporaryFolder()
        try data.write(WAV.bytes(WAV.tone(seconds: 2)), to: "a.wav")
        let text =
            switch ending {
            case "csv": "file_name,offset,duration\na.wav,0.5,1\n"
            case "tab": "path\tstart\tend\na.wav\t0.5\t1.5\n"
            default: "{\"audio_filepath\": \"a.wav\", \"offset\": 0.5, \"duration\": 1, \"turns\": [1]}\n"
            }
        let path = try data.write(Array(text.utf8), to: "m.\(ending)")
        let result = try await auscult("transcribe", path, "--format", "json", data: data)
        #expect(result.status == 0, "\(result.error)")
        #expect(try objects(result.output).first?["duration"] as? Double == 1)
        #expect(result.error.contains("turns") == ending.contains("json"))
    }

    @Test("a folder in which nothing is heard does not end well, and says what was left out and why")
    func nothing() async throws {
        let data = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: data("set"), withIntermediateDirectories: true)
        try data.write(Array("# Notes".utf8), to: "set/notes.md")
        try data.write(Array("%PDF-1.7\n".utf8), to: "set/page.pdf")
        let result = try await auscult("transcribe", data("set"), data: data)
        #expect(result.status == 66 && result.error.contains("there is no recording"), "\(result.error)")
        for told in ["notes.md: left out: it is text", "page.pdf: left out: it is PDF"] {
            #expect(result.error.contains(told), "\(result.error)")
        }
    }

    @Test("a folder with a recording under an unknown ending is heard, and tells of the rest")
    func unknownEnding() async throws {
        let data = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: data("set"), withIntermediateDirectories: true)
        try data.write(WAV.bytes(WAV.tone(seconds: 1)), to: "set/tone.sound")
        try data.write(Array("# Notes".utf8), to: "set/notes.md")
        let result = try await auscult(
            "transcribe", data("set"), "--temperature", "0", "--format", "json", data: data)
        #expect(result.status == 0 && result.error.contains("notes.md: left out"), "\(result.error)")
        #expect(try objects(result.output).compactMap { $0["file"] as? String } == [data("set/tone.sound")])
    }
}

@Suite("openai's text forms") struct TextFormTests {
    @Test("of languages, tokens and clips are taken", arguments: ["en", "EN", "en-US", "en_GB", "auto", "English"])
    func languages(language: String) async throws {
        let result = try await auscult(
            "transcribe", "demo:en-slt-01", "--temperature", "0", "-l", language, "--suppress-tokens", "-1",
            "--clip-timestamps", "0,1.5", "--format", "json")
        #expect(result.status == 0, "\(result.error)")
        #expect(result.output.contains("\"language\": \"en\""))
    }

    @Test("that are none are refused with what was expected")
    func refusals() async throws {
        for flags in [["--suppress-tokens", "all"], ["--clip-timestamps", "0;1"], ["-l", "xx-CN"], ["-l", "-"]] {
            let result = try await auscult(arguments: ["transcribe", "demo:en-slt-01"] + flags)
            #expect(result.status == 64, "\(flags): \(result.error)")
        }
    }
}
