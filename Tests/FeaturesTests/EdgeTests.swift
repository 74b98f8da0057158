import Dictionaries
import Kernels
import PluginDraws
import PluginKit
import TensorFiles
import TestHost
import TestSupport
import Testing

@Suite("Features of unusual recordings")
struct EdgeTests {
    private let folder: TemporaryFolder
    private let plugin: TestPlugin

    init() throws {
        folder = try TemporaryFolder()
        plugin = try featuresPlugin(folder)
    }

    private func clip(_ recording: Int, _ rows: [[Float]], window: Int = 0, of windows: Int = 1) -> TestClip {
        var clip = TestClip()
        clip.recording = UInt64(recording)
        clip.name = "r\(recording).wav"
        (clip.window, clip.windowCount, clip.start) = (window, windows, 30 * Double(window))
        (clip.validFrames, clip.duration) = (rows.count, Double(rows.count) / 50)
        var tensor = TestTensor(
            "encoder.blocks.0.mlp.1", axes: ["frame", "neuron"], shape: [rows.count, 2], values: rows.flatMap { $0 })
        tensor.firstPosition = 1500 * window
        clip.tensors = [tensor]
        return clip
    }

    private func instance(_ more: [String: String] = [:]) throws -> TestInstance {
        try plugin.instance(["emit": "all", "k": "3"].merging(more) { $1 })
    }

    private func examples(_ instance: TestInstance, _ feature: Int, side: String = "+") throws -> [[Double]] {
        let table = try ResultTable("examples", of: instance)
        return try table.rows(where: ["feature": Cell(feature), "side": Cell(side)]).map { row in
            try ["rank", "recording", "frame", "value"].map { try table.number(row, $0) }
        }
    }

    @Test("equal values are kept apart: recordings in their order, and of a recording the earliest frame")
    func ties() throws {
        let instance = try instance()
        try instance.run([4, 2, 3, 1].map { clip($0, [[0, 0], [1, 0], [1, 0]]) })
        #expect(try examples(instance, 0) == [[1, 1, 1, 1], [2, 2, 1, 1], [3, 3, 1, 1]])
        // What is zero throughout has no example.
        #expect(try examples(instance, 1).isEmpty)
    }

    @Test("windows of a long recording are one recording: its best stands for it, where it is in the recording")
    func windows() throws {
        let instance = try instance()
        let windows: [[[Float]]] = [[[0, 5], [3, 1]], [[7, 5], [1, 1]], [[7, 1]]]
        var clips = windows.enumerated().map { clip(0, $1, window: $0, of: 3) }
        clips.append(clip(1, [[4, 4]]))
        try instance.run(clips)
        #expect(try examples(instance, 0) == [[1, 0, 1500, 7], [2, 1, 0, 4]])
        #expect(try examples(instance, 1) == [[1, 0, 0, 5], [2, 1, 0, 4]])
        let recordings = try ResultTable("recordings", of: instance)
        #expect(try recordings.rows.map { try recordings.number($0, "frames") } == [5, 1])
        let table = try ResultTable("examples", of: instance)
        #expect(try table.number(table.rows[0], "seconds") == 1500.5 / 50)
    }

    @Test("a window with a value that is not finite is left out, counted and told", arguments: [Float.nan, .infinity])
    func notFinite(bad: Float) throws {
        let instance = try instance()
        try instance.run([clip(0, [[1, 2], [3, 4]]), clip(1, [[9, 9], [9, bad]])])
        #expect(try examples(instance, 0) == [[1, 0, 1, 3]])
        let features = try ResultTable("features", of: instance)
        #expect(try features.number(features.rows[0], "frames") == 2)
        guard case .text(let method) = try instance.result("method") else { throw TestFailure("no method") }
        #expect(method.contains("1 windows of encoder.blocks.0.mlp.1 were left out"))
        #expect(instance.log.contains { $0.contains("r1.wav") && $0.contains("not finite") })
    }

    @Test("the other side is that of the smallest values")
    func otherSide() throws {
        let instance = try instance(["sides": "both"])
        try instance.run([clip(0, [[1, 2], [-3, 4]]), clip(1, [[-5, 0.5]])])
        #expect(try examples(instance, 0, side: "-") == [[1, 1, 0, -5], [2, 0, 1, -3]])
        #expect(try examples(instance, 0) == [[1, 0, 0, 1], [2, 1, 0, -5]])
        let bins = try ResultTable("bins", of: instance)
        let counts = try bins.rows(where: ["feature": 0, "side": "-", "kind": "width"])
            .map { try bins.number($0, "count") }
        #expect(counts.reduce(0, +) == 2 && counts.count == 10)
        // Feature 1 is never below zero.
        #expect(bins.rows(where: ["feature": 1, "side": "-"]).isEmpty)
    }

    @Test("recordings without frames, and none at all, give tables without rows")
    func nothing() throws {
        let empty = try instance()
        try empty.run([clip(0, [])])
        #expect(try examples(empty, 0).isEmpty)
        #expect(try ResultTable("recordings", of: empty).rows.count == 1)
        let none = try instance()
        try none.run([])
        #expect(try ResultTable("recordings", of: none).rows.isEmpty)
    }

    @Test("tokens count from the first of each window on, have no seconds, and are labels")
    func tokens() throws {
        var services = TestServices()
        services.decode = { $0.map { "<\($0)>" }.joined() }
        let instance = try plugin.instance(
            ["emit": "all", "hooks": "decoder.blocks.0.mlp.1", "minimum": "2", "threshold": "0.5", "sample": "1000"],
            services: services)
        #expect(instance.needs.flags & 4 != 0)
        try instance.activate()
        for recording in 0..<20 {
            var clip = TestClip()
            clip.recording = UInt64(recording)
            clip.tokens = [5, 7, 5, 9].map { Int32($0) }
            let values: [Float] = [0, 1, 0, 0].map { $0 + Float(recording) / 1000 }
            clip.tensors = [
                TestTensor(
                    "decoder.blocks.0.mlp.1", axes: ["token", "neuron"], shape: [4, 1], values: values,
                    positionsPerSecond: 0)
            ]
            try instance.process(clip)
        }
        try instance.finish()
        #expect(try examples(instance, 0).first == [1, 19, 1, Double(Float(1) + Float(19) / 1000)])
        let table = try ResultTable("examples", of: instance)
        #expect(try table.number(table.rows[0], "seconds").isNaN)
        let sounds = try ResultTable("sounds", of: instance)
        #expect(sounds.rows(where: ["recording": 0]).map { sounds.cell($0, "label") } == ["<5>", "<7>", "<5>", "<9>"])
        let recordings = try ResultTable("recordings", of: instance)
        #expect(try recordings.text(recordings.rows[0], "text") == "<5><7><5><9>")
        // No phoneme is asked of a token.
        #expect(try ResultTable("selective", of: instance).rows.isEmpty)
    }

    @Test("directions: a feature is the product of the activations with a row, by its name")
    func directions() throws {
        let hook = "encoder.blocks.0.mlp.1"
        let path = folder("d.safetensors")
        let file = try SafetensorsOutput(
            path: path, [.init(hook, [3, 2])], metadata: ["names": "[\"sum\",\"a\",\"b\"]"])
        try file.append([1, 1, 2, 0, 0, -1])
        try file.finish()
        let instance = try instance(["directions": path])
        try instance.run([clip(0, [[1, 2], [3, 5]]), clip(1, [[4, 1]])])
        #expect(try examples(instance, 0) == [[1, 0, 1, 8], [2, 1, 0, 5]])
        #expect(try examples(instance, 1) == [[1, 1, 0, 8], [2, 0, 1, 6]])
        #expect(try examples(instance, 2) == [[1, 1, 0, -1], [2, 0, 0, -2]])
        let features = try ResultTable("features", of: instance)
        #expect(try features.rows.map { try features.text($0, "name") } == ["sum", "a", "b"])
        let wider = try self.instance(["directions": path])
        try wider.activate()
        var clip = clip(0, [[1, 2]])
        clip.tensors[0].shape = [1, 1]
        #expect { try wider.process(clip) } throws: { "\($0)".contains("1 features") && "\($0)".contains("of 2") }
        clip.tensors[0].hook = "encoder.blocks.1.mlp.1"
        #expect { try wider.process(clip) } throws: { "\($0)".contains("no directions for encoder.blocks.1") }
        #expect { try self.instance(["directions": "/nowhere"]) } throws: { "\($0)".contains("/nowhere") }
        let plain = try self.instance()
        #expect { try plain.merge(instance.save()) } throws: { "\($0)".contains("3 directions") }
    }

    @Test(
        "a probe's file: a feature is a class's logit, weight · (x − mean) / std + bias, in the activation's own units")
    func probes() throws {
        let hook = "encoder.blocks.0.mlp.1"
        func file(_ name: String, _ tensors: [(String, [Int], [Float])]) throws -> String {
            let path = folder(name)
            let file = try SafetensorsOutput(
                path: path, tensors.map { .init("\(hook).\($0.0)", $0.1) },
                metadata: ["classes": "[\"s\",\"z\"]", "format": "auscult-probes/1"])
            for tensor in tensors { try file.append(tensor.2) }
            try file.finish()
            return path
        }
        let weight: (String, [Int], [Float]) = ("weight", [2, 2], [1, 2, -3, 4])
        let whole = try file(
            "probes", [weight, ("bias", [2], [10, 20]), ("mean", [2], [1, -1]), ("std", [2], [2, 0.5])])
        let instance = try instance(["directions": whole])
        try instance.run([clip(0, [[3, 0], [1, -1]])])
        // (3, 0) is (1, 2) when it is standardised, and (1, −1) is nothing.
        #expect(try examples(instance, 0) == [[1, 0, 0, 1 * 1 + 2 * 2 + 10]])
        #expect(try examples(instance, 1) == [[1, 0, 0, -3 * 1 + 4 * 2 + 20]])
        let table = try ResultTable("features", of: instance)
        #expect(try table.rows.map { try table.number($0, "minimum") } == [10, 20])
        #expect(try table.rows.map { try table.text($0, "name") } == ["s", "z"])
        for (name, beside, wrong) in [
            ("short", ("bias", [1], [1]), "expected [2]"), ("flat", ("std", [2], [1, 0]), "above 0"),
            ("open", ("mean", [2], [1, .nan]), "not all finite"),
        ] as [(String, (String, [Int], [Float]), String)] {
            let path = try file(name, [weight, beside])
            #expect { try self.instance(["directions": path]) } throws: {
                "\($0)".contains(wrong) && "\($0)".contains("\(hook).\(beside.0)")
            }
        }
    }

    @Test("latents have names of their own, and a dictionary at another hook point than it is for is doubted once")
    func otherHook() throws {
        let weights = Tensor(shape: [2, 2], [1, 0, 0, 1] as [Float])
        try SparseDictionary(
            encoder: weights, decoder: weights, encoderBias: [0, 0], decoderBias: [0, 0], activation: .relu,
            hook: "encoder.blocks.3"
        ).write(to: folder("sae"))
        let instance = try instance(["dictionary": folder("sae"), "hooks": "encoder.blocks.0.mlp.1"])
        try instance.run([clip(0, [[1, 2]]), clip(1, [[4, 1]])])
        let features = try ResultTable("features", of: instance)
        #expect(try features.rows.map { try features.text($0, "name") } == ["latent 0", "latent 1"])
        #expect(instance.log.filter { $0.contains("for encoder.blocks.3") && $0.contains("mlp.1") }.count == 1)
    }

    @Test(
        "tokens are asked for wherever a hook point may be the decoder's",
        arguments: [
            ("d*.blocks.0.mlp.1", true), ("encoder.blocks.0,decoder.ln", true), ("encoder.blocks.*", false),
            ("model.encoder.layers.0.fc1", false), ("**.mlp.1", true),
        ])
    func decodes(hooks: String, needed: Bool) throws {
        #expect(try (instance(["hooks": hooks]).needs.flags & 4 != 0) == needed)
    }

    @Test("a dictionary: features are its codes, at the hook point that it is for, and nothing of what is not finite")
    func dictionary() throws {
        let weights = Tensor(shape: [3, 2], [1, 0, 0, 1, -1, 0] as [Float])
        let dictionary = try SparseDictionary(
            encoder: weights, decoder: weights, encoderBias: [0, -1, 0], decoderBias: [0, 0], activation: .relu,
            hook: "encoder.blocks.0.mlp.1")
        try dictionary.write(to: folder("sae"))
        let instance = try instance(["dictionary": folder("sae")])
        #expect(instance.needs.hooks == ["encoder.blocks.0.mlp.1"])
        try instance.run([clip(0, [[1, 2], [-3, 5]]), clip(1, [[4, 1]]), clip(2, [[.nan, 1]])])
        #expect(try examples(instance, 0) == [[1, 1, 0, 4], [2, 0, 0, 1]])
        // Where a latent is never above zero there is no example of it.
        #expect(try examples(instance, 1) == [[1, 0, 1, 4]])
        #expect(try examples(instance, 2) == [[1, 0, 1, 3]])
        let features = try ResultTable("features", of: instance)
        #expect(try features.rows.map { try features.number($0, "frames") } == [3, 3, 3])
        #expect { try self.instance(["dictionary": "/nowhere"]) } throws: { "\($0)".contains("/nowhere") }
        #expect { try self.instance(["dictionary": "/a", "directions": "/b"]) } throws: {
            "\($0)".contains("one of them")
        }
    }

    @Test("shapes that are no features over positions, and sizes that change, are refused in words")
    func shapes() throws {
        let instance = try instance()
        try instance.activate()
        var pattern = clip(0, [[1, 2]])
        pattern.tensors = [TestTensor("p", axes: ["head", "frame"], shape: [1, 2], values: [1, 2])]
        #expect { try instance.process(pattern) } throws: { "\($0)".contains("positions have to come first") }
        try instance.process(clip(0, [[1, 2]]))
        var wider = clip(1, [[1, 2]])
        wider.tensors[0].shape = [1, 1]
        #expect { try instance.process(wider) } throws: { "\($0)".contains("before with 2") }
        #expect(throws: TestHostError.self) { try self.instance(["show": "x"]) }
        #expect(throws: TestHostError.self) { try self.instance(["hooks": ""]) }
        #expect(throws: TestHostError.self) { try self.instance(["k": "0"]) }
    }
}
