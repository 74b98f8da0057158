import Mel
import PluginKit
import PluginSound
import TensorFiles
import TestHost
import TestSupport
import Testing

@testable import Dream

@Suite("Dreams") struct DreamTests {
    // MARK: - What is dreamt of

    @Test("targets are read: indexes, ranges, heads, words")
    func targets() throws {
        let text = " encoder.blocks.1.mlp.1:3,5-7 ; encoder.blocks.0.attn.z:2.17; word hot questions;"
        let targets = try DreamTarget.parse(text, dictionary: nil, direction: nil)
        #expect(
            targets.map(\.name) == [
                "encoder.blocks.1.mlp.1:3", "encoder.blocks.1.mlp.1:5", "encoder.blocks.1.mlp.1:6",
                "encoder.blocks.1.mlp.1:7", "encoder.blocks.0.attn.z:2.17", "word hot questions",
            ])
        #expect(
            try targets[4].objectives(frame: 12, others: true, file: "")
                == ["encoder.blocks.0.attn.z:2.17@frames 12:13", "encoder.blocks.0.attn.z:2.*@frames 12:13"])
        #expect(try targets[5].objectives(frame: 12, others: false, file: "") == ["text hot questions"])
        #expect(targets[0].label == "3 of encoder.blocks.1.mlp.1" && targets[5].label == "word hot questions")
        #expect(
            try targets[0].objectives(frame: 2, others: false, file: "") == ["encoder.blocks.1.mlp.0:3@frames 2:3"])
        #expect(targets[5].isWords && !targets[5].hasOthers && targets[0].hasOthers)
    }

    @Test(
        "what makes no sense is refused, and says what",
        arguments: [
            ("", "empty"), (";;", "empty"), ("encoder.blocks.2.mlp.1", "HOOK:INDEX"), ("a:-1", "no index"),
            ("a:5-3", "no index"), ("a:1.2.3", "no index"), ("a:x", "no index"), ("a:0-9999", "no index"),
            ("encoder.*.mlp.1:3", "one hook point"), ("word", "expected words"), ("latent 3", "dictionary"),
            ("direction", "direction names no file"), (":3", "expected HOOK"), ("a:0-200;b:0-200", "at most 256"),
        ])
    func nonsense(text: String, problem: String) {
        let error = #expect(throws: PluginError.self) {
            try DreamTarget.parse(text, dictionary: nil, direction: nil)
        }
        #expect(error?.message.contains(problem) == true)
    }

    @Test("a direction is one row of a file; its objective reads one frame")
    func direction() throws {
        let folder = try TemporaryFolder(), path = folder.path + "/direction.safetensors"
        let writer = try SafetensorsWriter(path: path)
        let row: [Float] = [1, 0, -2]
        try row.withUnsafeBytes { try writer.append("encoder.blocks.1", type: .float32, shape: [3], bytes: $0) }
        try writer.finish()
        let target = try #require(try DreamTarget.parse("direction", dictionary: nil, direction: path).first)
        #expect(target.hook == "encoder.blocks.1")
        let file = folder.path + "/objective.safetensors"
        #expect(try target.objectives(frame: 2, others: false, file: file) == ["\"\(file)\""])
        let written = try SafetensorsFile(path: file).tensor(named: "encoder.blocks.1")
        #expect(written.shape == [3, 3])
        let expected: [Float] = [0, 0, 0, 0, 0, 0, 1, 0, -2]
        #expect(written.elements == expected)
        #expect(throws: (any Error).self) {
            try DreamTarget.parse("direction", dictionary: nil, direction: folder.path + "/none.safetensors")
        }
    }

    // MARK: - The library that was built

    private func clip(_ name: String, seed: UInt64, loudness: Float = 0.001) -> TestClip {
        var generator = SeededGenerator(seed: seed)
        let samples: [Float] = generator.floats(16_000, in: -loudness...loudness)
        var clip = TestClip()
        clip.name = name
        clip.samples = samples
        // The neuron's values are what the made-up model gives for that.
        let mel = LogMel(bands: 80).window(samples, firstFrames: 100)
        var values = [Float](repeating: 0, count: 50 * 4)
        for frame in 0..<50 {
            var sum: Float = 0
            for band in 20..<30 { sum += mel[band, 2 * frame] + mel[band, 2 * frame + 1] }
            values[frame * 4] = 2 + sum / 10
        }
        clip.tensors = [TestTensor(PlantedModel.neuron, axes: ["frame", "neuron"], shape: [50, 4], values: values)]
        return clip
    }

    private let arguments = [
        "targets": "\(PlantedModel.neuron):0", "seconds": "0.4", "steps": "40", "rounds": "2", "others": "0",
        "smooth_time": "0.05", "smooth_frequency": "0.05",
    ]

    @Test("a planted neuron's bands and time are found, and the sound of them is above the best recording")
    func planted() throws {
        let folder = try TemporaryFolder()
        let plugin = try TestPlugin.built("dream", in: folder.path)
        let instance = try plugin.instance(arguments, services: PlantedModel().services())
        #expect(instance.needs.hooks == [PlantedModel.neuron])
        try instance.run([clip("a.wav", seed: 1), clip("b.wav", seed: 2)])
        let target = "0 of \(PlantedModel.neuron)"
        guard case .array(let drawn, let shape) = try instance.result("mel", recording: target) else {
            Issue.record("there is no log-mel")
            return
        }
        #expect(shape == [80, 40])
        // Rows are from the highest band down; the target is encoder frame 10, mel frames 20 and 21.
        func mean(_ bands: Range<Int>, _ frames: Range<Int>) -> Double {
            var sum: Double = 0
            for band in bands { for frame in frames { sum += drawn[(79 - band) * 40 + frame] } }
            return sum / Double(bands.count * frames.count)
        }
        let wanted: Double = mean(20..<30, 20..<22)
        #expect(wanted > 1.1)
        #expect(wanted > mean(50..<70, 20..<22) + 0.5 && wanted > mean(20..<30, 32..<40) + 0.5)
        guard case .table(let columns, let rows) = try instance.result("dreams"), let row = rows.first else {
            Issue.record("there is no table")
            return
        }
        func number(_ column: String) throws -> Double {
            guard case .number(let number) = row[try #require(columns.firstIndex(of: column))] else { return .nan }
            return number
        }
        // At most 2 · (1 + 1.2), the loudest that a log-mel may be.
        #expect(try number("optimised log-mel") > 4.2)
        #expect(try number("through its sound") > 3.9)
        #expect(try number("through its sound") > number("best recording"))
        #expect(row.last == .text("yes"))
        guard case .audio(let samples, 16_000) = try instance.result("sound", recording: target) else {
            Issue.record("there is no sound")
            return
        }
        #expect(samples.count == 6_400 && samples.allSatisfy { abs($0) <= 1 })
        guard case .array(let ascent, _) = try instance.result("ascent", recording: target) else {
            Issue.record("there is no ascent")
            return
        }
        #expect(ascent.count == 40 && ascent[19] > ascent[0])
    }

    @Test("the best moment of several runs is that of one, and the earlier of equals stays")
    func merging() throws {
        let folder = try TemporaryFolder()
        let plugin = try TestPlugin.built("dream", in: folder.path)
        func instance() throws -> TestInstance {
            try plugin.instance(
                arguments.merging(["steps": "2", "rounds": "1"]) { $1 }, services: PlantedModel().services())
        }
        let quiet = clip("quiet.wav", seed: 1, loudness: 0.0001), loud = clip("loud.wav", seed: 2)
        let whole = try instance()
        try whole.run([quiet, loud, clip("later.wav", seed: 2)])
        let first = try instance(), second = try instance()
        try first.activate()
        try first.process(quiet)
        try first.process(loud)
        try second.merge(first.save())
        try second.activate()
        try second.process(clip("later.wav", seed: 2))
        try second.finish()
        for instance in [whole, second] {
            guard case .table(let columns, let rows) = try instance.result("dreams"), let row = rows.first else {
                Issue.record("there is no table")
                return
            }
            #expect(row[try #require(columns.firstIndex(of: "recording"))] == .text("loud.wav"))
        }
        #expect(throws: (any Error).self) { try second.merge([0xA0]) }
        let other = try plugin.instance(["targets": "a:0,1"], services: PlantedModel().services())
        #expect(throws: (any Error).self) { try other.merge(first.save()) }
    }

    @Test("bad input: columns that are not there, NaN, no recording to begin from, no host to ask")
    func badInput() throws {
        let folder = try TemporaryFolder()
        let plugin = try TestPlugin.built("dream", in: folder.path)
        func error(_ changed: [String: String], _ clips: [TestClip], _ services: TestServices) -> String {
            do {
                let given = arguments.merging(changed) { $1 }
                try plugin.instance(given, services: services).run(clips)
                return ""
            } catch { return "\(error)" }
        }
        let services = PlantedModel().services(), one = clip("a.wav", seed: 1)
        #expect(error(["targets": "\(PlantedModel.neuron):4"], [one], services).contains("columns 0 to 3"))
        #expect(error(["targets": "\(PlantedModel.neuron):1.0"], [one], services).contains("there is no"))
        #expect(error(["start": "clip"], [], services).contains("no recording was heard"))
        var broken = one
        broken.tensors[0].values[5 * 4] = .nan
        #expect(error([:], [broken], services).contains("not a finite number"))
        #expect(error([:], [one], TestServices()).contains("auscult.host.gradients"))
    }
}
