import DataSets
import Files
import Foundation
import TestSupport
import Testing

/// Manifests as other programs write them.
@Suite("Manifests of others") struct ManifestTests {
    struct Layout: Sendable, CustomStringConvertible {
        let file: String
        let text: String
        var description: String { file }
    }

    /// Each says the same of two recordings: the second from 1.5 to 2 s.
    static let layouts = [
        Layout(
            file: "nemo.json",
            text: """
                {"audio_filepath": "a.wav", "text": "hi, you", "lang": "en", "duration": 4}
                {"audio_filepath": "b.wav", "offset": 1.5, "duration": 0.5, "text": "yes", "lang": "en"}
                """),
        Layout(
            file: "hf.csv",
            text:
                "file_name,transcription,offset,duration,language\r\na.wav,\"hi, you\",,4,en\r\nb.wav,yes,1.5,0.5,en\r\n"
        ),
        Layout(
            file: "hf.ndjson",
            text: """
                {"audio": {"path": "a.wav", "bytes": null}, "sentence": "hi, you", "locale": "en"}
                {"audio": {"path": "b.wav"}, "start": 1.5, "end": 2, "sentence": "yes", "locale": "en"}
                """),
        Layout(
            file: "semicolons.csv", text: "path;text;start;end;language\na.wav;\"hi, you\";;;en\nb.wav;yes;1.5;2;en\n"),
        Layout(
            file: "table.tab",
            text: "wav\ttranscript\tstart\tend\tlang\na.wav\thi, you\t\t\ten\nb.wav\tyes\t1.5\t2\ten\n"),
        Layout(
            file: "list.json",
            text: """
                [
                  {"path": "a.wav", "text": "hi, you", "language": "en"},
                  {"path": "b.wav", "text": "yes", "language": "en", "start": 1.5, "end": 2}
                ]
                """),
        Layout(
            file: "python.jsonl",
            text: """
                {"path": "a.wav", "text": "hi, you", "language": "en", "start": NaN, "end": NaN}
                {"path": "b.wav", "text": "yes", "language": "en", "start": 1.5, "end": 2}
                """),
    ]

    @Test("say the same in every layout", arguments: layouts)
    func same(layout: Layout) throws {
        let set = try DataSetFolder([layout.file: layout.text])
        let (items, broken) = try set.read(layout.file)
        #expect(broken.allSatisfy { !$0.losesRecording }, "\(broken)")
        #expect(items.map(\.name) == ["a.wav", "b.wav"])
        #expect(items.map(\.text) == ["hi, you", "yes"])
        #expect(items.map(\.language) == ["en", "en"])
        #expect(items.map(\.start) == [nil, 1.5])
        #expect(items.last?.end == 2)
    }

    @Test(
        "a folder with metadata that names files is that manifest, and one with other metadata a folder",
        arguments: ["csv", "jsonl"])
    func audioFolder(ending: String) throws {
        let rows = [
            "csv": "file_name,text\nsub/a.wav,hi\n", "jsonl": "{\"file_name\": \"sub/a.wav\", \"text\": \"hi\"}\n",
        ]
        let set = try DataSetFolder(["metadata.\(ending)": rows[ending]!, "sub/a.wav": "", "other.wav": ""])
        let (items, _) = try set.read()
        #expect(items.map(\.name) == ["sub/a.wav"] && items.first?.text == "hi")
        let other = try DataSetFolder(["metadata.\(ending)": "title,year\nx,1\n", "other.wav": ""])
        #expect(try other.read().items.map(\.name) == ["other.wav"])
    }

    @Test("the length of a whole file is a label, and cuts nothing")
    func duration() throws {
        let set = try DataSetFolder(["m.jsonl": "{\"path\": \"a.wav\", \"duration\": 3.5}\n"])
        let item = try #require(try set.read("m.jsonl").items.first)
        #expect(item.end == nil && item.labels == [.init(column: "duration", value: "3.5")])
    }

    @Test("what nothing is made of is told once, and loses no recording")
    func unknown() throws {
        let set = try DataSetFolder([
            "m.jsonl": """
            {"path": "a.wav", "turns": [1, 2], "meta": {"a": 1}, "score": NaN, "room": "hall"}
            {"path": "b.wav", "turns": [3], "meta": {}, "score": 0.5, "room": "yard"}
            """
        ])
        let (items, broken) = try set.read("m.jsonl")
        #expect(items.map { $0.labels.map(\.column) } == [["room"], ["room", "score"]])
        #expect(broken.map(\.code) == [.ignored, .ignored, .ignored])
        #expect(broken.allSatisfy { $0.line == 1 && !$0.losesRecording })
        for key in ["'turns'", "'meta'", "'score'"] { #expect(broken.contains { $0.problem.contains(key) }) }
    }

    @Test("rows of a CSV may go on in the next line, and have quotes in them")
    func quotes() throws {
        let set = try DataSetFolder(["m.csv": "path,text\na.wav,\"one\ntwo \"\"three\"\"\"\nb.wav,\"\"\nc.wav,\"open\n"]
        )
        let (items, broken) = try set.read("m.csv")
        #expect(items.map(\.text) == ["one\ntwo \"three\"", nil])
        #expect(broken.count == 1 && broken[0].problem.contains("closing quote"))
    }

    @Test("a name that is not UTF-8 is found by the bytes of a table, and by its text in JSON")
    func bytes() throws {
        let set = try DataSetFolder([:])
        let name: [UInt8] = [0x63, 0xE9] + Array(".wav".utf8)
        try set.folder.write(Array("path\ttext\n".utf8) + name + Array("\thi\n".utf8), to: "m.tsv")
        try set.add("m.jsonl", Array("{\"path\": \"c\\uefe9.wav\", \"text\": \"hi\"}".utf8))
        for manifest in ["m.tsv", "m.jsonl"] {
            let item = try #require(try set.read(manifest).items.first)
            #expect(PathText.bytes(item.name) == name && item.text == "hi")
        }
    }

    @Test("a million rows are gone through in little memory")
    func long() throws {
        let folder = try TemporaryFolder()
        let path = folder("m.csv")
        let block = Data(String(repeating: "a.wav,hello there,x\n", count: 10_000).utf8)
        FileManager.default.createFile(atPath: path, contents: Data("path,text,room\n".utf8))
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        try file.seekToEnd()
        for _ in 0..<100 { try file.write(contentsOf: block) }
        try file.close()
        let before = residentBytes()
        var count = 0
        try DataSet(path).forEach(broken: { throw $0 }) { _ in count += 1 }
        #expect(count == 1_000_000)
        #expect(residentBytes() - before < 64 << 20)
    }

    private func residentBytes() -> Int {
        let fields = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ") ?? []
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * 4096 : 0
    }
}

@Suite("Folders as they come") struct OddFolderTests {
    /// The beginning of a WAV.
    private let wav = Array("RIFF\0\0\0\0WAVEfmt ".utf8)

    @Test(
        "recordings are found by how they begin, whatever they are called",
        arguments: ["x.wave", "x.bwf", "x.mp2", "x", "x.sound"])
    func beginnings(name: String) throws {
        let set = try DataSetFolder([:])
        try set.add(name, wav)
        let (items, broken) = try set.read()
        #expect(items.map(\.name) == [name] && broken.isEmpty)
    }

    @Test("what is left out is told, a line for each kind", arguments: ["md", "py", "pdf", "bin"])
    func leftOut(ending: String) throws {
        let set = try DataSetFolder(["a.\(ending)": "Call me Ishmael.", "b.\(ending)": "Some years ago.", "c.wav": ""])
        let (items, broken) = try set.read()
        #expect(items.map(\.name) == ["c.wav"])
        #expect(broken.count == 1 && broken[0].code == .leftOut && broken[0].problem.contains("1 more"))
    }

    @Test(
        "what is left out is told with why",
        arguments: [
            ("a.md", "# Notes\n", "it is text"), ("a.pdf", "%PDF-1.7\n", "it is PDF"),
            ("a.zip", "PK\u{3}\u{4}", "a zip archive"), ("a.csv", "path,text\n", "is to be named itself"),
            ("a.bin", "\u{1}\u{2}\u{3}\u{4}", "like no sound file"), ("a", "", "like no sound file"),
            ("a.lab", "0 1 h\n", "no recording of that name"),
        ])
    func reasons(name: String, text: String, reason: String) throws {
        let set = try DataSetFolder([name: text, "c.wav": text])
        let (items, broken) = try set.read()
        #expect(items.map(\.name) == ["c.wav"], "a known ending is tried whatever is in the file")
        #expect(broken.map(\.code) == [.leftOut] && broken.map(\.file) == [set.folder(name)])
        #expect(broken.first?.problem.contains(reason) == true, "\(broken)")
    }

    @Test("a folder in which everything is left out has no recording, and a line for each kind")
    func nothing() throws {
        let set = try DataSetFolder(["a.md": "# Notes\n", "b.md": "# More\n", "c.pdf": "%PDF-1.7\n", "d.lab": "x"])
        let (items, broken) = try set.read()
        #expect(items.isEmpty)
        #expect(broken.map(\.file) == ["a.md", "c.pdf", "d.lab"].map { set.folder($0) })
        #expect(broken.allSatisfy { $0.code == .leftOut && $0.problem.hasPrefix("left out") })
    }

    @Test(
        "a name with a byte that is no UTF-8 is listed, and so is one that looks like a clip",
        arguments: [
            [0xFF] + Array(".wav".utf8), Array("a".utf8) + [0xC3, 0x28] + Array(".wav".utf8), [0xFF],
            Array("demo:x.wav".utf8),
        ] as [[UInt8]])
    func names(name: [UInt8]) throws {
        let set = try DataSetFolder(["plain.wav": ""])
        try PendingFile.write(Data(wav), to: set.folder(PathText.text(name)))
        let (items, broken) = try set.read()
        #expect(broken.isEmpty)
        #expect(Set(items.map { PathText.bytes($0.name) }) == [name, Array("plain.wav".utf8)])
        for case .path(let path) in items.map(\.source) { #expect(try FileDescriptor(path, O_RDONLY).size >= 0) }
    }
}
