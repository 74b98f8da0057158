import Atlas
import Digests
import Foundation
import Messages
import TestSupport
import Testing

@Suite("auscult atlas") struct AtlasCommandTests {
    let data: TemporaryFolder
    static let hook = "encoder.blocks.2.mlp.1"

    init() throws { data = try TemporaryFolder() }

    /// An atlas of two features over an embedded clip and a part of a file, and one of the decoder.
    private func atlas(file: String? = nil, sha256: String? = nil) throws -> String {
        let path = data("test.atlas")
        let store = try AtlasStore(path: path, mode: .write)
        let writer = try AtlasWriter(
            store,
            AtlasScanDescription(
                model: "default", modelSHA256: "00", dimensions: [:], dataSet: "demo:", recordings: 2,
                plugin: "features", version: "1", arguments: [:], seed: 0)
        ) { number, _ in
            number == 0
                ? AtlasRecordingPlace(path: "demo:en-slt-01")
                : file.map { AtlasRecordingPlace(path: $0, start: 0.5, end: 2, sha256: sha256) }
        }
        func take(_ name: String, _ columns: String, _ rows: [any CellValue]...) throws {
            try writer.take(
                AtlasTable(
                    name: name, columns: columns.split(separator: " ").map(String.init),
                    rows: rows.map { $0.map(\.cell) }))
        }
        let none = AtlasTable.Cell.missing
        let decoder = "decoder.blocks.0.mlp.1"
        try take(
            "features", "hook feature frames maximum density", [Self.hook, 0, 100, 0, 0],
            [Self.hook, 1, 100, 3.5, 0.25],
            [decoder, 0, 9, 2, 0.5])
        let values = (0..<151).map { Float16($0 < 75 ? $0 : 150 - $0) }
        let curve = Data(values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian, Array.init) })
        try take(
            "examples", "hook feature rank recording frame seconds value curve_first curve",
            [Self.hook, 1, 1, 0, 40, 0.81, 3.5, 0, curve.base64EncodedString()],
            [Self.hook, 1, 2, 1, 20, 0.91, 2, none, none], [decoder, 0, 1, 0, 1, none, 2, none, none])
        try take(
            "bins", "hook feature kind bin low high count", [Self.hook, 1, "width", 0, 0, 2, 50],
            [Self.hook, 1, "width", 1, 2, 4, 50])
        try take(
            "bin_examples", "hook feature kind bin recording frame seconds value",
            [Self.hook, 1, "width", 1, 0, 60, 1.21, 1])
        try take(
            "labels", "hook feature kind label precision auc base lift threshold lag named_frames scored_frames",
            [Self.hook, 1, "phoneme", "s", 0.75, 0.875, 0.25, 3, 1.5, -2, 40, 60])
        try take(
            "recordings", "recording name speaker text", [0, "demo:en-slt-01", "slt", "one two"],
            [1, "part.wav", none, none])
        try take(
            "sounds", "recording kind start end label", [0, "phoneme", 0.7, 0.9, "s"], [0, "word", 0, 0.5, "one"],
            [0, "word", 0.5, 1, "two"], [0, "token", 0, 1, "<|en|>"], [0, "token", 1, 2, " one"])
        try writer.finish()
        return path
    }

    private func lines(_ result: CommandResult) -> [[String]] {
        result.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    }

    @Test("show lists features with their label and what is heard at their maxima; json says the same")
    func show() async throws {
        let path = try atlas()
        let all = try await auscult("atlas", "show", path, data: data)
        #expect(all.status == 0 && lines(all).count == 4, "\(all.error)")
        let one = try await auscult("atlas", "show", path, "--label", "s", data: data)
        #expect(
            lines(one).last
                == [
                    Self.hook, "1", "-", "s", "phoneme", "0.750", "3.000", "–", "0.875", "–", "0.250", "3.500", "s",
                    "·",
                ])
        let lifted = try await auscult("atlas", "show", path, "--lift", "2.5", "--sort", "lift", data: data)
        #expect(lines(lifted).dropFirst() == lines(one).dropFirst())
        #expect(try await lines(auscult("atlas", "show", path, "--lift", "3.5", data: data)).count == 1)
        let negative = try await auscult("atlas", "show", path, "--lift=-1", data: data)
        #expect(negative.status == 64 && negative.error.contains("--lift takes 0 or more, not -1"))
        let sorted = try await auscult("atlas", "show", path, "--sort", "maximum", "--limit", "1", data: data)
        #expect(sorted.output.contains("1 of 3; --limit shows more") && lines(sorted)[1][1] == "1")
        let json = try await auscult("atlas", "show", path, "--search", "#1", "--format", "json", data: data)
        let page = try #require(JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        let row = try #require((page["rows"] as? [[String: Any]])?.first)
        #expect(page["total"] as? Int == 1 && (row["label"] as? [String: Any])?["feature_id"] is Int)
        let scans = try await auscult("atlas", "show", path, "--scans", data: data)
        #expect(
            lines(scans).dropFirst().map { $0.prefix(5) }
                == [
                    ["1", "complete", "default", "demo:", "features"],
                    ["1", "complete", "default", "demo:", "features"],
                ])
        let unknown = try await auscult("atlas", "show", path, "--hook", "nope", data: data)
        #expect(unknown.status == 66 && unknown.error.contains("it has decoder.blocks.0.mlp.1, \(Self.hook)"))
    }

    @Test("a card has the tables, marks the word at the maximum, and the token of a decoder's feature")
    func card() async throws {
        let path = try atlas()
        let card = try await auscult("atlas", "card", path, Self.hook, "1", data: data)
        #expect(card.status == 0, "\(card.error)")
        #expect(card.output.contains("density 0.25, maximum 3.5"))
        #expect(lines(card).contains(["1", "+", "3.5", "0.81", "s", "s", "slt", "demo:en-slt-01", "one", "«two»"]))
        // Precision, base and lift, AUC (this table has no AP), the lag, the threshold, and the frames above it on either split.
        let label = [
            "s", "phoneme", "+", "0.75", "0.25", "3", "–", "–", "–", "0.875", "–", "–", "–", "-40", "ms", "1.5", "–",
        ]
        #expect(lines(card).contains(label + ["40", "/", "60"]), "\(card.output)")
        let token = try await auscult("atlas", "card", path, "decoder.blocks.0.mlp.1", "0", data: data)
        #expect(token.output.contains("token 1") && token.output.contains("<|en|> «one»"))
        let json = try await auscult("atlas", "card", path, Self.hook, "1", "--format", "json", data: data)
        let object = try #require(JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        #expect(((object["examples"] as? [[String: Any]])?.first?["activation"] as? [Double])?.count == 151)
        let missing = try await auscult("atlas", "card", path, Self.hook, "7", data: data)
        #expect(
            missing.status == 66 && missing.error.contains("2 features of \(Self.hook), and none with the number 7"))
    }

    @Test("listen writes a sound, a picture and a playlist's line for each moment, and the sound is the moment's")
    func listen() async throws {
        try data.write(WAV.bytes(WAV.tone(seconds: 3)), to: "part.wav")
        let path = try atlas(file: data("part.wav"), sha256: SHA256.hex(ofFiles: [data("part.wav")]))
        let result = try await auscult(
            "atlas", "listen", path, Self.hook, "1", "--all", "--out", data("out"), "--picture", "svg", data: data)
        #expect(result.status == 0 && !result.error.contains("has changed"), "\(result.error)")
        let names = try FileManager.default.contentsOfDirectory(atPath: data("out")).sorted()
        #expect(
            names == [
                "bin-1-01-demo_en-slt-01.svg", "bin-1-01-demo_en-slt-01.wav", "bin-1.m3u8",
                "top-01-demo_en-slt-01.svg", "top-01-demo_en-slt-01.wav", "top-02-part.svg", "top-02-part.wav",
                "top.m3u8",
            ])
        #expect(result.output.split(separator: "\n").count == names.count)
        let playlist = try String(contentsOfFile: data("out/top.m3u8"), encoding: .utf8).split(separator: "\n")
        #expect(playlist.first == "#EXTM3U")
        #expect(playlist.filter { !$0.hasPrefix("#") } == ["top-01-demo_en-slt-01.wav", "top-02-part.wav"])
        // The part lasts from 0.5 s to 2 s. Frame 20 is at sample 6400 of it: the window is [5900, 6900).
        let sound = try Data(contentsOf: URL(fileURLWithPath: data("out/top-02-part.wav")))
        let samples = sound.dropFirst(44).withUnsafeBytes { Array($0.bindMemory(to: Int16.self)) }
        let tone = WAV.tone(seconds: 3)
        #expect(samples.count == 24000)
        #expect(Array(samples[5900..<6900]) == Array(tone[8000 + 5900..<8000 + 6900]))
        for place in [0, 5000, 8000, 23999] {
            #expect(abs(Double(samples[place]) - Double(tone[8000 + place]) / 10) <= 1)
        }
        let picture = try String(contentsOfFile: data("out/top-01-demo_en-slt-01.svg"), encoding: .utf8)
        #expect(picture.contains("<path") && picture.contains("<title>"))
    }

    @Test(
        "a file that is not the one that was scanned is told; one that has gone, and one of unknown place, are errors")
    func changedFiles() async throws {
        try data.write(WAV.bytes(WAV.tone(seconds: 3)), to: "part.wav")
        var path = try atlas(file: data("part.wav"), sha256: String(repeating: "0", count: 64))
        func listen() async throws -> CommandResult {
            try await auscult(
                "atlas", "listen", path, Self.hook, "1", "--rank", "2", "--out", data("out"), "--picture", "none",
                "--sound", "flac", data: data)
        }
        let changed = try await listen()
        #expect(changed.status == 0 && changed.error.contains("part.wav has changed since it was scanned"))
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: data("out")).sorted() == [
                "top-02-part.flac", "top.m3u8",
            ])
        try FileManager.default.removeItem(atPath: data("part.wav"))
        let gone = try await listen()
        #expect(gone.status == 66 && gone.error.contains("part.wav"), "\(gone.error)")
        try FileManager.default.removeItem(atPath: path)
        path = try atlas()
        let unknown = try await listen()
        #expect(unknown.status == 66 && unknown.error.contains("does not know where part.wav lies"))
    }

    @Test(
        "what cannot be listened to is said",
        arguments: [
            (["encoder.blocks.2.mlp.1", "0", "--all"], 66, "never above zero"),
            (["encoder.blocks.2.mlp.1", "1", "--rank", "9"], 66, "no example of rank 9"),
            (["encoder.blocks.2.mlp.1", "1", "--bin", "7"], 66, "no range 7"),
            (["encoder.blocks.2.mlp.1", "1", "--side", "-"], 66, "no examples on the side -"),
            (["decoder.blocks.0.mlp.1", "0"], 64, "its examples are tokens"),
            (["encoder.blocks.2.mlp.1", "1", "--rank", "1", "--all"], 64, "exclude each other"),
            (["encoder.blocks.2.mlp.1", "1", "--surroundings", "3"], 64, "-120 to 0"),
            (["encoder.blocks.2.mlp.1", "1", "--gain", "nan"], 64, "-60 to 60"),
            (["encoder.blocks.2.mlp.1", "1", "--around", "0"], 64, "0 to 50"),
        ])
    func refusals(arguments: [String], status: Int32, message: String) async throws {
        let path = try atlas()
        let result = try await auscult(
            arguments: ["atlas", "listen", path] + arguments + ["--out", data("out")], data: data)
        #expect(result.status == status && result.error.contains(message), "\(result.error)")
        #expect(!FileManager.default.fileExists(atPath: data("out")))
    }

    @Test("an atlas that is none, or is not there, ends a command with a status of its own")
    func badAtlases() async throws {
        try data.write(Array("no atlas".utf8), to: "text")
        let text = try await auscult("atlas", "show", data("text"), data: data)
        #expect(text.status == 65 && text.error.contains("not an atlas"))
        let none = try await auscult("atlas", "show", data("none"), data: data)
        #expect(none.status == 66 && none.error.contains("there is no atlas"))
    }
}

/// What a table's cell is made of.
private protocol CellValue { var cell: AtlasTable.Cell { get } }
extension String: CellValue { fileprivate var cell: AtlasTable.Cell { .text(self) } }
extension Int: CellValue { fileprivate var cell: AtlasTable.Cell { .number(Double(self)) } }
extension Double: CellValue { fileprivate var cell: AtlasTable.Cell { .number(self) } }
extension AtlasTable.Cell: CellValue { fileprivate var cell: AtlasTable.Cell { self } }
