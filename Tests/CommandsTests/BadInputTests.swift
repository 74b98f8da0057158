import Daemon
import Foundation
import TestSupport
import Testing

@Suite("Bad input") struct BadInputTests {
    let data: TemporaryFolder
    init() throws { data = try TemporaryFolder() }

    private static let tone = WAV.tone(seconds: 0.5)
    private static let recordings: [(name: String, bytes: [UInt8])] = [
        ("not audio", Array("This is a letter and no recording.".utf8)),
        ("empty", []),
        ("a header and no samples", WAV.bytes([])),
        ("0 Hz", WAV.bytes(tone, rate: 0)),
        ("NaN samples", WAV.bytes(float: [0, 0.5, .nan, 0.5])),
        ("infinite samples", WAV.bytes(float: [0, 0.5, -.infinity])),
        ("half a header", Array(WAV.bytes(tone).prefix(20))),
    ]

    @Test("a recording that is none is refused, by name, and leaves no file", arguments: recordings.map(\.name))
    func recording(name: String) async throws {
        let bytes = try #require(Self.recordings.first { $0.name == name }).bytes
        try data.write(bytes, to: "bad.wav")
        for arguments in [
            ["transcribe", data("bad.wav"), "--out", data("o")],
            ["trace", data("bad.wav"), "--hooks", "log_mel", "--out", data("o/t.safetensors")],
        ] {
            let result = try await auscult(arguments: arguments, data: data)
            #expect(result.status == 65, "\(result.error)")
            #expect(result.error.hasPrefix("auscult: error: "))
            #expect(result.error.contains("bad.wav"))
            #expect(result.error.split(separator: "\n").count == 1)
            #expect(try FileManager.default.contentsOfDirectory(atPath: data("o")).isEmpty)
        }
    }

    @Test("a recording that is cut short is used, with a warning, and refused by --strict")
    func cutShort() async throws {
        try data.write(Array(WAV.bytes(Self.tone).dropLast(5000)), to: "cut.wav")
        let used = try await auscult("transcribe", data("cut.wav"), data: data)
        #expect(used.status == 0 && used.error.contains("cut.wav: is cut short"), "\(used.error)")
        let strict = try await auscult("transcribe", data("cut.wav"), "--strict", data: data)
        #expect(strict.status == 65 && strict.error.contains("is cut short"), "\(strict.error)")
    }

    @Test("a recording that breaks off late leaves no trace behind, not even a hidden one")
    func lateFailure() async throws {
        var samples = [Float](repeating: 0.1, count: 16000 * 15)
        samples[16000 * 14] = .nan
        try data.write(WAV.bytes(float: samples), to: "late.wav")
        let result = try await auscult(
            "trace", data("late.wav"), "--hooks", "encoder.**", "--out", data("t.npz"), data: data)
        #expect(result.status == 65)
        #expect(try data.names() == ["late.wav"])
    }

    @Test("a folder or an absent file is no recording", arguments: [".", "absent.wav"])
    func noFile(name: String) async throws {
        let result = try await auscult("transcribe", data(name), data: data)
        #expect([64, 66].contains(result.status))
        #expect(result.error.contains(data.path))
    }

    @Test(
        "a damaged model is refused with the name of the file",
        arguments: ["truncated", "bit in the header", "wrong shape", "missing tensor", "no config", "config"])
    func damagedFolder(damage: String) async throws {
        try FileManager.default.createDirectory(atPath: data("model"), withIntermediateDirectories: true)
        for file in EmbeddedFile.files(in: "default") {
            var bytes = Array(file.bytes)
            switch (damage, file.name) {
            case ("truncated", "model.safetensors"): bytes.removeLast(1000)
            case ("bit in the header", "model.safetensors"): bytes[9] ^= 0x40
            case ("wrong shape", "config.json"): replace("\"num_mel_bins\": 80", "\"num_mel_bins\": 81", in: &bytes)
            case ("missing tensor", "model.safetensors"):
                replace("encoder.conv1.weight", "encoder.conv9.weight", in: &bytes)
            case ("no config", "config.json"): continue
            case ("config", "config.json"): bytes = Array("{]".utf8)
            default: break
            }
            try data.write(bytes, to: "model/" + file.name)
        }
        let result = try await auscult("transcribe", "demo:en-slt-01", "--model", data("model"), data: data)
        #expect([65, 66].contains(result.status), "\(result.error)")
        #expect(result.error.hasPrefix("auscult: error: "))
        #expect(result.output.isEmpty)
    }

    private func replace(_ old: String, _ new: String, in bytes: inout [UInt8]) {
        let text = Data(bytes)
        guard let range = text.range(of: Data(old.utf8)) else { return }
        bytes.replaceSubrange(range, with: new.utf8)
    }

    @Test(
        "a file that is no checkpoint is refused",
        arguments: [
            "", "hello", "PK\u{3}\u{4}", "lmgg", "lmgg\u{1}\u{1}\u{1}\u{1}", "GGUF0000", "<html>",
        ])
    func noCheckpoint(text: String) async throws {
        try data.write(Array(text.utf8), to: "model.bin")
        let result = try await auscult("hooks", "--model", data("model.bin"), data: data)
        #expect(result.status == 65)
        #expect(result.error.contains("model.bin"))
    }

    @Test("a vocabulary that is none is refused")
    func vocabulary() async throws {
        try data.write(Array("!!! not base64\n".utf8), to: "v.tiktoken")
        try FileManager.default.createDirectory(atPath: data("model"), withIntermediateDirectories: true)
        for file in EmbeddedFile.files(in: "default") { try data.write(file.bytes, to: "model/" + file.name) }
        let result = try await auscult(
            "transcribe", "demo:en-slt-01", "--model", data("model"), "--vocab", data("v.tiktoken"), data: data)
        #expect(result.status == 65)
        #expect(result.error.contains("v.tiktoken"))
    }

    @Test("a result that cannot be written is an error with status 74")
    func fullOutput() throws {
        let full = try #require(FileHandle(forWritingAtPath: "/dev/full"))
        let child = Process()
        child.executableURL = URL(fileURLWithPath: try Child.built("auscult"))
        child.environment = try Child.environment(data)
        child.arguments = ["samples"]
        // The daemon that the first command starts is stopped with the folder.
        #expect(try Child.run("samples", data: data).status == 0)
        child.standardOutput = full
        child.standardError = FileHandle.nullDevice
        try child.run()
        child.waitUntilExit()
        #expect(child.terminationStatus == 74)
    }
}
