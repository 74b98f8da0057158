import Client
import Foundation
import StrictJSON
import TestSupport
import Testing

@testable import Reproduction

/// Runs of the command against the real daemon with the embedded model.
@Suite("auscult reproduce", .serialized) struct ReproduceCommandTests {
    private func verdicts(_ folder: String) throws -> [String: String] {
        let json = try JSON(parsing: Array(Data(contentsOf: URL(fileURLWithPath: folder + "/results.json"))))
        guard case .array(let sections)? = json["sections"] else { return [:] }
        return Dictionary(
            sections.compactMap { section in
                guard case .string(let id)? = section["id"], case .string(let verdict)? = section["verdict"] else {
                    return nil
                }
                return (id, verdict)
            }, uniquingKeysWith: { first, _ in first })
    }

    private func lines(_ path: String) throws -> Int {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").count
    }

    @Test("words are cut out of two clips, with files, sounds and a page; a second call computes nothing again")
    func wholeAndAgain() async throws {
        let data = try TemporaryFolder()
        let daemon = try await InProcessDaemon(data)
        let out = data("report")
        let arguments = ["reproduce", "demo:en-slt-01", "demo:en-gb-01", "--only", "words", "-o", out]
        let before = try daemon.encoderPasses
        let first = await daemon.run(arguments)
        #expect(first.status == 0, "\(first.error)")
        // Of three transcripts of each clip, which fits one window, the second and the third put padding in a word's place: all three take
        // one pass of the clip, and padding is computed once for all.
        let passes = try daemon.encoderPasses - before
        // (An output is let go after two seconds without a call, which a busy machine may have between two.)
        #expect((3...4).contains(passes), "\(passes)")
        #expect(first.output.contains("words") && first.output.hasSuffix("\(out)/index.html\n"))
        for file in ["results.json", "verdicts.csv", "words/section.json", "words/findings/shares.svg"] {
            #expect(FileManager.default.fileExists(atPath: "\(out)/\(file)"), "\(file)")
        }
        let sounds = try FileManager.default.contentsOfDirectory(atPath: out + "/words/sounds")
        #expect(sounds.count == 2)
        for sound in sounds {
            #expect(
                FileManager.default.contents(atPath: "\(out)/words/sounds/\(sound)")?.prefix(4) == Data("fLaC".utf8))
        }
        let page = try String(contentsOfFile: out + "/index.html", encoding: .utf8)
        #expect(page.contains("data:audio/flac;base64,"))
        // Nothing in it names another place.
        #expect(!page.contains("://"))
        // The numbers follow from the cuts that the table lists.
        let cuts = try String(contentsOfFile: out + "/words/findings/cuts.csv", encoding: .utf8)
        #expect(cuts.split(separator: "\n").count == 5)

        let journal = out + "/transcripts.jsonl"
        let written = try lines(journal)
        #expect(written == 6)
        let verified = await daemon.run("verify", out + "/words/cuts/receipt.json")
        #expect(verified.status == 0, "\(verified.output)\(verified.error)")
        #expect(verified.output.hasSuffix("6 transcripts, the same to the bit\n"))
        let again = await daemon.run(arguments)
        #expect(again.status == 0)
        #expect(try lines(journal) == written)
        #expect(again.output.split(separator: "\n").last == first.output.split(separator: "\n").last)

        // A line that an interruption cut off is written again, the others are not.
        let text = try String(contentsOfFile: journal, encoding: .utf8)
        try data.write(Array(text.dropLast(30).utf8), to: "report/transcripts.jsonl")
        let repaired = await daemon.run(arguments)
        #expect(repaired.status == 0)
        #expect(try lines(journal) == written + 1)
        #expect(try verdicts(out)["words"] != nil)

        // --fresh computes everything again.
        let fresh = await daemon.run(arguments + ["--fresh"])
        #expect(fresh.status == 0)
        #expect(try lines(journal) == written)
        await daemon.stop()
    }

    @Test("a changed recording is noticed by what is in it, not by its name")
    func changedInput() async throws {
        let data = try TemporaryFolder()
        let daemon = try await InProcessDaemon(data)
        let arguments = ["reproduce", data("a.wav"), "--only", "attention", "--only", "words", "-o", data("report")]
        try data.write(WAV.bytes(WAV.tone(seconds: 0.4)), to: "a.wav")
        #expect(await daemon.run(arguments).status == 0)
        let journal = data("report/transcripts.jsonl")
        let first = try lines(journal)
        #expect(await daemon.run(arguments).status == 0)
        #expect(try lines(journal) == first)
        try data.write(WAV.bytes(WAV.tone(seconds: 0.5)), to: "a.wav")
        #expect(await daemon.run(arguments).status == 0)
        #expect(try lines(journal) > first)
        await daemon.stop()
    }

    @Test("a window as wide as the context changes no word of a recording that is longer than the model's window")
    func widestWindow() async throws {
        let data = try TemporaryFolder()
        let daemon = try await InProcessDaemon(data)
        _ = await daemon.run(["reproduce", "demo:en-long-01", "--only", "attention", "-o", data("report")])
        await daemon.stop()
        let journal = try String(contentsOfFile: data("report/transcripts.jsonl"), encoding: .utf8)
        var texts: [String: String] = [:]
        for line in journal.split(separator: "\n") {
            let json = try JSON(parsing: Array(line.utf8))
            guard case .array(let changes)? = json["interventions"], case .string(let text)? = json["text"] else {
                continue
            }
            texts[changes.first?.compactText ?? "", default: ""] = text
        }
        let plain = try #require(texts[""])
        #expect(texts["\"encoder.blocks.*.attn window 1500\""] == plain)
        #expect(texts["\"encoder.blocks.*.attn window 10\""] != plain && plain.split(separator: " ").count > 20)
    }

    @Test("a section that fails leaves the others, and the status is that of its failure")
    func failingSection() async throws {
        let data = try TemporaryFolder()
        try data.write(Array("no sound at all".utf8), to: "a.wav")
        let daemon = try await InProcessDaemon(data)
        let result = await daemon.run([
            "reproduce", data("a.wav"), "--only", "words", "--only", "probes", "-o", data("report"),
        ])
        #expect(result.status == ExitStatus.badData.rawValue)
        #expect(result.error.contains("a.wav"))
        let verdicts = try verdicts(data("report"))
        #expect(verdicts == ["words": "cannot_be_said", "probes": "cannot_be_said"])
        let page = try String(contentsOfFile: data("report/index.html"), encoding: .utf8)
        #expect(page.contains("\"failure\":\"") && page.contains("\"failure\":null"))
        await daemon.stop()
    }

    @Test("a plugin that is not there is a reason, not a failure")
    func noPlugin() async throws {
        let data = try TemporaryFolder()
        let result = try await auscult(
            "reproduce", "demo:en-slt-01", "--only", "attention", "--only", "dictionary", "-o", data("report"),
            data: data)
        #expect(result.status == 0, "\(result.error)")
        #expect(result.output.contains("cannot be said"))
        #expect(result.output.contains("the plugin 'attention-stats' is not installed here"))
        // What goes on with the work of another is not run without it.
        #expect(result.output.contains("the plugin 'sae' is not installed here"))
    }

    @Test("--list names every section, and needs no folder and no daemon")
    func list() async throws {
        let result = try await auscult("reproduce", "--list", "--no-start", "--socket", "/nowhere/at.sock")
        #expect(result.status == 0, "\(result.error)")
        for section in Section.all { #expect(result.output.contains(section.id)) }
    }

    @Test(
        "a command line that makes no sense says what was expected",
        arguments: [
            (["demo:"], "--out"), (["demo:", "-o", "x", "--only", "word"], "There is no section 'word'"),
            (["demo:", "-o", "x", "--recordings", "0"], "--recordings"),
            (["demo:", "-o", "x", "--steps", "0"], "--steps"),
        ])
    func usage(arguments: [String], message: String) async throws {
        let result = try await auscult(arguments: ["reproduce"] + arguments)
        #expect(result.status == ExitStatus.usage.rawValue)
        #expect(result.error.contains(message), "\(result.error)")
    }

    @Test("inputs that are not there, that cannot be read twice, or that hold nothing")
    func badInputs() async throws {
        let data = try TemporaryFolder()
        let daemon = try await InProcessDaemon(data)
        try FileManager.default.createDirectory(atPath: data("empty"), withIntermediateDirectories: true)
        for (input, status, message) in [
            (data("absent.wav"), ExitStatus.noInput, "absent.wav"), ("-", .usage, "can be read only once"),
            ("demo:en-slt-99", .noInput, "en-slt-99"), (data("empty"), .noInput, "no recording"),
            (data("absent.jsonl"), .noInput, "absent.jsonl"),
        ] {
            let result = await daemon.run(["reproduce", input, "-o", data("report"), "--only", "words"])
            #expect(result.status == status.rawValue, "\(input): \(result.error)")
            #expect(result.error.contains(message), "\(input): \(result.error)")
        }
        try data.write([], to: "file")
        let result = await daemon.run(["reproduce", "demo:en-slt-01", "-o", data("file"), "--only", "words"])
        #expect(result.status == ExitStatus.cannotCreate.rawValue)
        await daemon.stop()
    }

    @Test("two calls do not write into one folder at once")
    func locked() async throws {
        let data = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: data("report"), withIntermediateDirectories: true)
        let lock = open(data("report/.lock"), O_RDWR | O_CREAT, 0o644)
        #expect(flock(lock, LOCK_EX | LOCK_NB) == 0)
        defer { close(lock) }
        let result = try await auscult("reproduce", "demo:", "-o", data("report"), data: data)
        #expect(result.status == ExitStatus.temporaryFailure.rawValue)
        #expect(result.error.contains("another 'auscult reproduce'"))
    }
}
