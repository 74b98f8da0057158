import Results
import Foundation
import FoundationXML
import Messages
import TestSupport
import Testing

@Suite("Results as files") struct ResultsFilesTests {
    private func folder(_ run: RunResults) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        var results = try ResultFolder(folder.path)
        _ = try results.write(run)
        return folder
    }

    private func text(_ folder: TemporaryFolder, _ name: String) throws -> String {
        try String(contentsOfFile: folder.path + "/" + name, encoding: .utf8)
    }

    /// RFC 4180, read by the letter.
    private func parse(_ csv: String) -> [[String]] {
        var rows: [[String]] = [[""]]
        var isQuoted = false
        var scalars = Array(csv.unicodeScalars)[...]
        while let next = scalars.popFirst() {
            let last = (rows.count - 1, rows[rows.count - 1].count - 1)
            if isQuoted, next == "\"", scalars.first == "\"" {
                scalars.removeFirst()
                rows[last.0][last.1] += "\""
            } else if next == "\"" {
                isQuoted.toggle()
            } else if !isQuoted, next == "," {
                rows[last.0].append("")
            } else if !isQuoted, next == "\n" {
                rows.append([""])
            } else {
                rows[last.0][last.1].unicodeScalars.append(next)
            }
        }
        return rows.last == [""] ? rows.dropLast() : rows
    }

    @Test("a table's CSV reads back, with commas, quotes, line ends and no value")
    func csv() throws {
        let hard = ["a,b", "\"quoted\"", "two\r\nlines", "plain", ""]
        let rows =
            hard.map { V1.PluginRow(cells: [Planted.text($0), Planted.number(0.1)]) }
            + [V1.PluginRow(cells: [V1.PluginCell(), Planted.number(.nan)])]
        let table = V1.PluginTable(columns: ["te\"xt", "n"], rows: rows)
        let folder = try folder(Planted.one(Planted.output("t", .table), .table(table)))
        let read = parse(try text(folder, "t.csv"))
        #expect(read == [["te\"xt", "n"]] + hard.map { [$0, "0.1"] } + [["", ""]])
    }

    @Test("a matrix's CSV has its labels, and float32 its own digits")
    func matrixCSV() throws {
        let axes = [V1.ResultAxis(name: "layer", labels: ["a", "b"]), V1.ResultAxis(name: "t", unit: "s", step: 0.5)]
        let value = Planted.array(Planted.tensor([0.1, 2, .nan, -.infinity], [2, 2]))
        let folder = try folder(Planted.one(Planted.output("m", .matrix, axes), value))
        #expect(
            parse(try text(folder, "m.csv")) == [
                ["layer \\ t (s)", "0", "0.5"], ["a", "0.1", "2.0"], ["b", "", "-inf"],
            ])
    }

    @Test("an NPY file has the header that numpy reads, and the values behind it")
    func npy() throws {
        let folder = try folder(
            Planted.one(Planted.output("m", .matrix), Planted.array(Planted.tensor([1, 2, 3, 4, 5, 6], [2, 3]))))
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder.path + "/m.npy")))
        #expect(bytes.prefix(8) == [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0])
        let length = Int(bytes[8]) + Int(bytes[9]) * 256
        #expect((10 + length) % 64 == 0)
        let header = String(decoding: bytes[10..<10 + length], as: UTF8.self)
        #expect(header.contains("'descr': '<f4'") && header.contains("'shape': (2, 3,)"))
        #expect(Array(bytes[(10 + length)...]) == Planted.tensor([1, 2, 3, 4, 5, 6], [2, 3]).data)
    }

    @Test("JSON reads back with its values; what has none is null")
    func json() throws {
        let axes = [V1.ResultAxis(name: "layer", labels: ["a", "b"]), V1.ResultAxis(name: "t", unit: "s", step: 0.5)]
        let run = Planted.one(
            Planted.output("m", .matrix, axes, .heatMap, unit: "dB"),
            Planted.array(Planted.tensor([0.1, .nan, .infinity, 4], [2, 2])), file: "a.wav")
        let read = try #require(
            try JSONSerialization.jsonObject(with: Data(ResultsJSON().text(run).utf8)) as? [String: Any])
        let results = try #require(read["results"] as? [[String: Any]])
        let result = try #require(results.first)
        #expect(result["file"] as? String == "a.wav")
        #expect(result["plot"] as? String == "heat_map")
        #expect(result["shape"] as? [Int] == [2, 2])
        let values = try #require(result["values"] as? [[Any]])
        #expect(values[0][0] as? Double == 0.1)
        #expect(values[0][1] is NSNull && values[1][0] is NSNull)
        #expect(values[1][1] as? Double == 4)
        let axis = try #require((result["axes"] as? [[String: Any]])?.last)
        #expect(axis["unit"] as? String == "s" && axis["step"] as? Double == 0.5 && axis["labels"] is NSNull)
    }

    @Test("every kind has its files, and the index names them all")
    func everything() throws {
        let folder = try folder(Planted.everything)
        let index = try #require(
            try JSONSerialization.jsonObject(with: Data(try text(folder, "results.json").utf8)) as? [String: Any])
        let results = try #require(index["results"] as? [[String: Any]])
        #expect(results.count == 16)
        let files = results.flatMap { Array(($0["files"] as? [String: String] ?? [:]).values) }
        let present = Set(try FileManager.default.contentsOfDirectory(atPath: folder.path))
        #expect(Set(files).isSubset(of: present))
        #expect(present.subtracting(files) == ["results.json", "index.html", "scalars.csv"])
        for name in [
            "distance.png", "precision.svg", "distance.pdf", "clip-b.wav", "note.txt", "words-a.csv", "mel-a.npy",
        ] {
            #expect(files.contains(name))
        }
    }

    @Test("names stay in the folder, and two results never share one")
    func names() throws {
        let outputs = ["../../evil", "A", "a", "index"].map { Planted.output($0, .text) }
        let results = outputs.map { V1.PluginResult(outputId: $0.id, file: "../x/..", value: .text($0.id)) }
        let folder = try folder(Planted.run(outputs, results + results))
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(names.count { $0.hasSuffix(".txt") } == 8)
        #expect(names.allSatisfy { !$0.hasPrefix(".") })
    }

    @Test("a file that cannot be written keeps no other from it, and is named at the end")
    func failure() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path + "/a.txt", withIntermediateDirectories: false)
        let outputs = [Planted.output("a", .text), Planted.output("b", .text)]
        var results = try ResultFolder(folder.path)
        #expect(throws: (any Error).self) {
            try results.write(
                Planted.run(outputs, outputs.map { V1.PluginResult(outputId: $0.id, value: .text("text")) }))
        }
        #expect(try text(folder, "b.txt") == "text\n")
        #expect(try text(folder, "results.json").contains("a.txt: cannot write"))
    }

    @Test("sound whose samples are no numbers is told by its place, and keeps nothing else back")
    func brokenSound() throws {
        let samples = [Float(0.5), .nan].flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init) }
        let clip = V1.PluginAudioClip(sampleRate: 16000, samples: samples)
        let folder = try folder(
            Planted.run(
                [Planted.output("c", .audioClip), Planted.output("note", .text)],
                [
                    V1.PluginResult(outputId: "c", value: .audio(clip)),
                    V1.PluginResult(outputId: "note", value: .text("text")),
                ]))
        #expect(try text(folder, "note.txt") == "text\n")
        #expect(try text(folder, "results.json").contains("has sound whose sample 1 is nan"))
    }

    @Test("a clip becomes a WAV file of its own samples, and a spectrogram whose loudest row is its tone's")
    func sound() throws {
        let tone = (0..<16000).map { 2 * Float(sin(2 * Double.pi * 1000 * Double($0) / 16000)) }
        let bytes = tone.withUnsafeBytes { Array($0) }
        let clip = V1.PluginAudioClip(sampleRate: 16000, samples: bytes)
        let folder = try folder(Planted.one(Planted.output("c", .audioClip), .audio(clip)))
        let file = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/c.wav"))
        #expect(file.starts(with: "RIFF".utf8) && file.suffix(bytes.count) == Data(bytes))
        let picture = try PNGPicture([UInt8](Data(contentsOf: URL(fileURLWithPath: folder.path + "/c.png"))))
        // The brightest colour of the plot, whose rows are 8 kHz: a line an eighth of the way up.
        let dark = try #require(picture.bounds { $0.reduce(0, +) < 150 && Int($0[2]) > Int($0[1]) + 40 })
        let bright = try #require(
            (dark.rows).filter { picture.pixel((dark.columns.lowerBound + dark.columns.upperBound) / 2, $0)[0] > 200 }
                .first)
        let share = Double(dark.rows.upperBound - bright) / Double(dark.rows.count)
        #expect(abs(share - 0.125) < 0.03, "\(share)")
    }

    @Test("extremes become files", arguments: Extremes.all)
    func extremes(_ extreme: Extreme) throws {
        let folder = try folder(extreme.run)
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where name.hasSuffix(".svg") {
            let parser = XMLParser(data: Data(try text(folder, name).utf8))
            #expect(parser.parse(), "\(name): \(String(describing: parser.parserError))")
        }
    }

    @Test("a matrix of 1500 × 1500 becomes a picture of a readable size")
    func large() throws {
        let values = (0..<1500 * 1500).map { Float($0 % 1501) }
        let folder = try folder(
            Planted.one(Planted.output("m", .matrix), Planted.array(Planted.tensor(values, [1500, 1500]))))
        let picture = try PNGPicture([UInt8](Data(contentsOf: URL(fileURLWithPath: folder.path + "/m.png"))))
        // 560 to a side, at two pixels a unit, with the axis to the left and the scale to the right.
        #expect((2 * 600...2 * 720).contains(picture.width) && (2 * 600...2 * 720).contains(picture.height))
        let colours = try #require(picture.bounds { $0 == [255, 255, 255] ? false : $0[0] > 240 && $0[2] < 160 })
        #expect(colours.rows.count > 1000)
        #expect(try text(folder, "index.html").utf8.count < 8_000_000)
    }
}
