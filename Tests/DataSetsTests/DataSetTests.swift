import DataSets
import Files
import Foundation
import TestSupport
import Testing

/// A folder with text files in it.
struct DataSetFolder {
    let folder: TemporaryFolder

    init(_ files: [String: String]) throws {
        folder = try TemporaryFolder()
        for (name, text) in files { try add(name, Array(text.utf8)) }
    }

    func add(_ name: String, _ bytes: [UInt8]) throws {
        let parent = (folder(name) as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
        try folder.write(bytes, to: name)
    }

    func read(_ name: String = "", from first: Int = 0) throws -> (items: [DataSetItem], broken: [DataSetError]) {
        var items: [DataSetItem] = []
        var broken: [DataSetError] = []
        let place = name.isEmpty ? folder.path : folder(name)
        try DataSet(place).forEach(from: first, broken: { broken.append($0) }) { items.append($0) }
        return (items, broken)
    }
}

@Suite("Data sets") struct DataSetTests {
    @Test("a folder's recordings come sorted by path, with what lies beside them")
    func folder() throws {
        let set = try DataSetFolder([
            "b/two.WAV": "", "a.flac": "", "a.txt": " hello \n", "a.TextGrid": textGridShort,
            "b/two.phn": "0 1600 sil\n",
            "b/two.wrd": "0 3200 yes\n", "b/two.txt": "0 3200 yes it is", "notes.md": "", ".hidden.wav": "",
            "c.lab": "x",
        ])
        let (items, broken) = try set.read(from: 5)
        #expect(broken.map(\.code) == [.leftOut, .leftOut] && !broken.contains(where: \.losesRecording))
        #expect(broken.map(\.file) == [set.folder("c.lab"), set.folder("notes.md")])
        #expect(items.map(\.name) == ["a.flac", "b/two.WAV"])
        #expect(items.map(\.index) == [5, 6])
        #expect(items[0].text == "hello")
        #expect(items[1].text == "yes it is")
        #expect(items[0].source == .path(set.folder("a.flac")))
        let aligned = try items.map { try $0.aligned() }
        #expect(aligned[0].phonemes == [TimedLabel(start: 0, end: 0.5, label: "h\"i")])
        #expect(aligned[0].words == [TimedLabel(start: 0.25, end: 1, label: "hi")])
        #expect(aligned[1].phonemes == [TimedLabel(start: 0, end: 0.1, label: "sil")])
        #expect(aligned[1].words == [TimedLabel(start: 0, end: 0.2, label: "yes")])
    }

    @Test("a manifest of JSON lines gives every column its place, and its broken lines do not lose the rest")
    func jsonLines() throws {
        let set = try DataSetFolder([
            "m.jsonl": """
            {"path": "x.wav", "start": 0.5, "end": 2, "text": "hi", "language": "en", "speaker": "s1", "digit": 7, \
            "clean": true, "phonemes": [[0.5, 0.6, "h"], {"start": 0.6, "end": 0.7, "label": "ai"}]}

            {"path": 
            {"text": "no path"}
            {"path": "y.wav", "start": 3, "end": 1}
            {"path": "z.wav", "start": -1}
            {"file": "/abs/w.wav", "alignment": "w.ctm"}
            {"path": "v.wav", "alignment": "v.doc"}
            {"path": "v.wav", "phonemes": [[1, 0, "a"]]}
            """
        ])
        let (items, broken) = try set.read("m.jsonl")
        #expect(items.map(\.name) == ["x.wav", "/abs/w.wav"])
        #expect(items.map(\.index) == [0, 1])
        let first = items[0]
        #expect(first.source == .path(set.folder("x.wav")))
        #expect(first.start == 0.5 && first.end == 2 && first.text == "hi" && first.language == "en")
        #expect(first.labels == [.init(column: "clean", value: "true"), .init(column: "digit", value: "7")])
        #expect(first.columns.map(\.column) == ["language", "speaker", "text", "clean", "digit"])
        #expect(first.phonemes.map(\.label) == ["h", "ai"])
        #expect(items[1].source == .path("/abs/w.wav"))
        #expect(items[1].alignments.map(\.path) == [set.folder("w.ctm")])
        #expect(broken.map(\.line) == [3, 4, 5, 6, 8, 9])
        #expect(broken.allSatisfy { $0.file == set.folder("m.jsonl") })
        #expect(broken[1].problem == "expected a path; there is none")
        #expect("\(broken[2])".hasSuffix("line 5: expected an end after the start, 3.0; it is 1.0"))
    }

    @Test("JSON is read strictly: a key that comes twice, or a mistake, is said with its place, in lines and in lists")
    func strictly() throws {
        let set = try DataSetFolder([
            "m.jsonl":
                "{\"path\": \"a\", \"path\": \"b\"}\n{\"path\": \"c\",}\n{\"path\": \"d\", \"n\": 12345678901234567}\n",
            "m.json": "[{\"path\": \"a\"},\n {\"path\": 1,,}]",
        ])
        let (items, broken) = try set.read("m.jsonl")
        #expect(items.map(\.name) == ["d"] && items[0].labels == [.init(column: "n", value: "12345678901234568")])
        #expect(broken.map(\.line) == [1, 2] && broken.allSatisfy { $0.problem.contains("column") })
        let error = #expect(throws: DataSetError.self) { try set.read("m.json") }
        #expect(error?.problem.contains("line 2, column") == true)
    }

    @Test("a manifest of columns names its labels in the header; the digits' naming is told by one")
    func tabs() throws {
        let set = try DataSetFolder([
            "m.tsv": "path\tspeaker\tdigit\tend\r\n7_jackson_0.wav\tjackson\t7\t\r\nshort\n8_theo_1.wav\ttheo\t8\t0.5\n"
        ])
        let (items, broken) = try set.read("m.tsv")
        #expect(items.map(\.speaker) == ["jackson", "theo"])
        #expect(items.map(\.labels) == ["7", "8"].map { [.init(column: "digit", value: $0)] })
        #expect(items.map(\.end) == [nil, 0.5])
        #expect(
            broken.map { "\($0)" } == [
                "\(set.folder("m.tsv")), line 3: expected 4 columns, as in the header; there are 1"
            ])
    }

    @Test("a reader that does not want broken lines ends at the first")
    func stops() throws {
        let set = try DataSetFolder(["m.jsonl": "{\"path\": \"a\"}\nrubbish\n{\"path\": \"b\"}\n"])
        var names: [String] = []
        #expect(throws: DataSetError.self) {
            try DataSet(set.folder("m.jsonl")).forEach(broken: { throw $0 }) { names.append($0.name) }
        }
        #expect(names == ["a"])
    }

    @Test("LibriSpeech's transcripts name their recordings, and the missing are told")
    func libriSpeech() throws {
        let set = try DataSetFolder([
            "19/198/19-198.trans.txt": "19-198-0000 NORTHANGER ABBEY\n19-198-0001 GONE\nrubbish\n",
            "19/198/19-198-0000.flac": "", "103/1/103-1.trans.txt": "103-1-0 ONE\n", "103/1/103-1-0.flac": "",
        ])
        let (items, broken) = try set.read()
        #expect(items.map(\.text) == ["ONE", "NORTHANGER ABBEY"])
        #expect(items.map(\.speaker) == ["103", "19"])
        #expect(items[1].labels == [.init(column: "chapter", value: "198")])
        #expect(broken.map(\.line) == [2, 3])
        #expect(broken.first?.code == .notFound)
    }

    @Test("Common Voice's table finds its clips")
    func commonVoice() throws {
        let set = try DataSetFolder([
            "validated.tsv": "client_id\tpath\tsentence\tage\tlocale\nabc\tcv_1.mp3\tBonjour\t\tfr\n",
            "clips/cv_1.mp3": "",
        ])
        let (items, broken) = try set.read()
        #expect(broken.isEmpty && items.count == 1)
        #expect(items.first?.source == .path(set.folder("clips/cv_1.mp3")))
        #expect(items.first?.text == "Bonjour" && items.first?.language == "fr" && items.first?.speaker == "abc")
        #expect(items.first?.labels == [])
    }

    @Test("demo: is whatever the closure gives, numbered")
    func demo() throws {
        let clips = [DataSetItem(name: "demo:a", source: .clip("a")), DataSetItem(name: "demo:b", source: .clip("b"))]
        var indices: [Int] = []
        try DataSet("demo:", clips: { clips }).forEach(from: 3, broken: { throw $0 }) { indices.append($0.index) }
        #expect(indices == [3, 4])
    }

    @Test("what is no data set is refused with what was expected")
    func refusals() throws {
        let set = try DataSetFolder(["x.wav": "", "m.tsv": "name\tdigit\n", "twice.tsv": "path\tpath\n"])
        #expect(throws: FileError.self) { try DataSet("/nowhere/at/all") }
        #expect(throws: DataSetError.self) { try DataSet("relative") }
        #expect(throws: DataSetError.self) { try DataSet(set.folder("x.wav")) }
        #expect(throws: DataSetError.self) { try set.read("m.tsv") }
        #expect(throws: DataSetError.self) { try set.read("twice.tsv") }
    }

    @Test("a long manifest is read through a small window, lines across its borders whole")
    func long() throws {
        let set = try DataSetFolder([:])
        let padding = String(repeating: "x", count: 700)
        let text = (0..<3000).map { "{\"path\": \"\($0).wav\", \"note\": \"\(padding)\($0)\"}" }.joined(separator: "\n")
        try set.add("m.jsonl", Array(text.utf8))
        let (items, broken) = try set.read("m.jsonl")
        #expect(broken.isEmpty && items.count == 3000)
        #expect(items.enumerated().allSatisfy { $1.name == "\($0).wav" && $1.labels.first?.value == "\(padding)\($0)" })
    }
}
