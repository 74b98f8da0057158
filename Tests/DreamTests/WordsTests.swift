import Glibc
import PluginKit
import TestHost
import TestSupport
import Testing

@testable import WordsToSounds

@Suite("From words to sounds") struct WordsTests {
    // MARK: - Words

    @Test("tokens make words, which are named by number and by what they say")
    func words() {
        let words = WrittenWords([nil, nil, " Hot", " quest", "ions", ",", " hot", " what's", nil, " up"])
        #expect(words.words.map(\.text) == ["Hot", "questions,", "hot", "what's", "up"])
        #expect(words.words[1].tokens == 3..<6)
        #expect(words.named("2").map(\.text) == ["questions,"])
        #expect(words.named("HOT").map(\.number) == [1, 3])
        #expect(words.named("hot Questions").map(\.tokens) == [2..<6])
        #expect(words.named("whats").map(\.number) == [4])
        #expect(words.named("6").isEmpty && words.named("cold").isEmpty && words.named("…").isEmpty)
        #expect(WrittenWords([nil, nil]).words.isEmpty && WrittenWords([]).named("1").isEmpty)
    }

    // MARK: - The search

    @Test("the smallest part is found where cells add up, also where the order is wrong about some")
    func smallest() throws {
        // Cells 3, 8 and 20 are needed; the order has two useless ones before the last of them.
        let needed: Set = [3, 8, 20]
        let order = [3, 8, 1, 2, 20] + (0..<40).filter { ![3, 8, 1, 2, 20].contains($0) }
        var heard = 0
        let search = SmallestPart(order: order, wanted: 3, listenings: 60) { cells in
            heard += 1
            return Double(needed.intersection(cells).count)
        }
        let found = try #require(try search.find())
        #expect(Set(found.cells) == needed && found.value == 3)
        #expect(found.listenings == heard && heard <= 60)
        let none = SmallestPart(order: order, wanted: 4, listenings: 60) { Double(needed.intersection($0).count) }
        #expect(try none.find() == nil)
        let short = SmallestPart(order: order, wanted: 3, listenings: 1) { Double(needed.intersection($0).count) }
        #expect(try short.find()?.cells.count == 40)
    }

    @Test("agreement adds up over graphs, in whatever order")
    func agreement() {
        func graph(_ values: [(Double, Double)]) -> Graph {
            var graph = Graph()
            graph.nodes = [Graph.Node(kind: .word, name: "rug", attribution: 0)]
            for (index, (attribution, effect)) in values.enumerated() {
                graph.nodes.append(Graph.Node(kind: .crossHead, name: "\(index)", attribution: attribution))
                graph.edges.append(Graph.Edge(from: index + 1, to: 0, attribution: attribution, effect: effect))
            }
            return graph
        }
        var one = Agreement(), two = Agreement()
        one.add(graph([(2, 2), (1, 1), (-1, -1)]))
        two.add(graph([(3, 6), (1, -1)]))
        var sum = one
        sum.add(two)
        guard case .number(let count) = sum.rows[0][1], case .number(let same) = sum.rows[0][3],
            case .number(let correlation) = one.rows[0][2]
        else {
            Issue.record("the table has other cells: \(sum.rows)")
            return
        }
        #expect(count == 5 && same == 0.8 && abs(correlation - 1) < 1e-9)
        #expect(sum.isSound)
    }

    // MARK: - The library that was built

    /// A second in which a tone that head 0 hears sounds while neuron 0 is read, and one that head 1 hears later.
    private func clip(tokens: [Int32] = [11, 12, 5]) -> TestClip {
        var clip = TestClip()
        clip.name = "planted.wav"
        clip.tokens = tokens
        clip.samples = (0..<16_000).map { at in
            let t: Float = Float(at) / 16_000
            if at >= 3_200, at < 6_400 { return 0.3 * sinf(2 * Float.pi * 920 * t) }
            if at >= 9_600, at < 12_800 { return 0.3 * sinf(2 * Float.pi * 2_950 * t) }
            return 0.0001 * sinf(2 * Float.pi * 100 * t)
        }
        return clip
    }

    private func services(_ folder: TemporaryFolder) -> TestServices {
        var services = PlantedModel().services()
        services.folder = folder.path
        return services
    }

    private let arguments = [
        "words": "rug", "features": PlantedModel.neuron, "cell_bands": "10", "cell_frames": "10", "fraction": "0.8",
        "listenings": "80",
    ]

    @Test("the planted path is found from the word to the sound, and each of its edges is confirmed")
    func planted() throws {
        let folder = try TemporaryFolder()
        let plugin = try TestPlugin.built("words-to-sounds", in: folder.path)
        let instance = try plugin.instance(arguments, services: services(folder))
        try instance.run([clip()])
        let label = "planted.wav: rug (1)"
        guard case .table(let columns, let rows) = try instance.result("edges", recording: label) else {
            Issue.record("there are no edges")
            return
        }
        func text(_ row: [Cell], _ column: String) -> String {
            guard let at = columns.firstIndex(of: column), case .text(let text) = row[at] else { return "" }
            return text
        }
        func number(_ row: [Cell], _ column: String) -> Double {
            guard let at = columns.firstIndex(of: column), case .number(let number) = row[at] else { return .nan }
            return number
        }
        func strongest(to node: String) -> [Cell]? {
            rows.filter { text($0, "to") == node }.max { number($0, "effect") < number($1, "effect") }
        }
        var node = "rug"
        for expected in [
            "\(PlantedModel.crossHead):0", "\(PlantedModel.neuron):0", "\(PlantedModel.encoderHead):0",
            "0.30–0.40 s, 782–1128 Hz",
        ] {
            let edge = try #require(strongest(to: node))
            // The tone lasts from 0.2 to 0.4 s: both of its cells give the same.
            let from = text(edge, "from")
            #expect(from == expected || (expected.hasSuffix("Hz") && from == "0.20–0.30 s, 782–1128 Hz"))
            let (attribution, effect) = (number(edge, "attribution"), number(edge, "effect"))
            #expect(effect > 0)
            // Linear between the nodes, so that what is attributed is what is lost, but for the word's logarithm.
            if node != "rug" { #expect(abs(attribution - effect) < 1e-3 * abs(effect)) }
            node = from
        }
        // Head 0 of the cross-attention reads neuron 0 alone.
        let stray = rows.filter {
            text($0, "to") == "\(PlantedModel.crossHead):0" && text($0, "from") == "\(PlantedModel.neuron):1"
        }
        #expect(stray.allSatisfy { abs(number($0, "effect")) < 1e-9 && abs(number($0, "attribution")) < 1e-9 })
    }

    @Test("the smallest part of the spectrogram is the planted one, and is heard")
    func kept() throws {
        let folder = try TemporaryFolder()
        let plugin = try TestPlugin.built("words-to-sounds", in: folder.path)
        let instance = try plugin.instance(
            arguments.merging(["graph": "false"]) { $1 }, services: services(folder))
        try instance.run([clip()])
        let label = "planted.wav: rug (1)"
        guard case .array(let mask, let shape) = try instance.result("mask", recording: label),
            case .audio(let samples, 16_000) = try instance.result("kept", recording: label),
            case .table(let columns, let rows) = try instance.result("words"), let row = rows.first
        else {
            Issue.record("there is no mask")
            return
        }
        #expect(shape == [80, 100] && samples.count == 16_000)
        // Rows are from the highest band down. The tone of the other head, and what is neither, is gone.
        for band in 0..<80 {
            for frame in 0..<100 where mask[(79 - band) * 100 + frame].isFinite {
                #expect((20..<40).contains(frame) && (20..<30).contains(band))
            }
        }
        #expect(samples[9_600..<12_800].allSatisfy { abs($0) < 1e-3 })
        func number(_ column: String) throws -> Double {
            guard case .number(let number) = row[try #require(columns.firstIndex(of: column))] else { return .nan }
            return number
        }
        let whole = try number("with the sound"), silent = try number("with silence")
        #expect(try number("with what is kept") >= silent + 0.8 * (whole - silent))
        #expect(try number("cells kept") <= 2.0 / 80)
    }

    @Test("bad input: words that are not there, nothing to hear, features of the decoder")
    func badInput() throws {
        let folder = try TemporaryFolder()
        let plugin = try TestPlugin.built("words-to-sounds", in: folder.path)
        func error(_ changed: [String: String], _ clips: [TestClip]) -> String {
            do {
                let given = arguments.merging(["graph": "false"]) { $1 }.merging(changed) { $1 }
                try plugin.instance(given, services: services(folder)).run(clips)
                return ""
            } catch { return "\(error)" }
        }
        #expect(error(["words": "mug"], [clip()]).contains("1 rug"))
        #expect(error(["words": "7"], [clip()]).contains("none of the recordings"))
        #expect(error(["words": " , "], []).contains("words is empty"))
        #expect(error(["features": "decoder.blocks.0.mlp.1"], []).contains("hook points of the encoder"))
        #expect(error(["keep": "encoder.blocks.*.mlp.1:3"], []).contains("expected word"))
        #expect(error(["keep": "\(PlantedModel.neuron):9"], [clip()]).contains("has shape"))
        // Where nothing was written, there is nothing to say.
        #expect(error([:], [clip(tokens: [11, 12])]).isEmpty)
        // Nor is there a sound in less than a frame, whatever was written of it.
        var short = clip()
        short.samples = [Float](repeating: 0.1, count: 159)
        #expect(error([:], [short]).isEmpty)
        var silent = clip()
        silent.samples = [Float](repeating: 0, count: 16_000)
        #expect(error([:], [silent]).isEmpty)
    }

    @Test("a neuron can be kept instead of the word")
    func neuron() throws {
        let folder = try TemporaryFolder()
        let plugin = try TestPlugin.built("words-to-sounds", in: folder.path)
        let instance = try plugin.instance(
            arguments.merging(["graph": "false", "keep": "\(PlantedModel.neuron):1"]) { $1 }, services: services(folder)
        )
        try instance.run([clip()])
        guard case .array(let mask, _) = try instance.result("mask", recording: "planted.wav: rug (1)") else {
            Issue.record("there is no mask")
            return
        }
        for band in 0..<80 {
            for frame in 0..<100 where mask[(79 - band) * 100 + frame].isFinite {
                #expect((60..<80).contains(frame) && (50..<60).contains(band))
            }
        }
    }
}
