import PluginKit
import TestHost
import TestSupport
import Testing

@testable import WindowSweep

/// A model of two blocks of two heads, of which the first of each looks two frames back and the second everywhere. It loses its last word
/// where a head that looks everywhere is limited to less than 50 frames, and all words where one is that looks near to less than 2.
@Suite("Window sweep") struct WindowSweepTests {
    private func clip(_ number: UInt64, _ text: String) -> TestClip {
        let (frames, keys) = (50, 60)
        var clip = recording(number, text)
        var pattern = [Float](repeating: 0, count: 2 * frames * keys)
        for query in 0..<frames {
            pattern[query * keys + max(0, query - 2)] = 1
            for key in 0..<keys { pattern[(frames + query) * keys + key] = 1 / Float(keys) }
        }
        clip.tensors = (0..<2).map {
            TestTensor(
                "encoder.blocks.\($0).attn.pattern", axes: ["head", "frame", "key_frame"], shape: [2, frames, keys],
                values: pattern, validPositions: frames)
        }
        return clip
    }

    private func services(_ asked: Asked? = nil) -> TestServices {
        var services = TestServices()
        services.transcribe = { _, _, interventions in
            asked?.interventions.append(interventions)
            var words = ["a", "b", "c", "d"]
            for text in interventions {
                let parts = text.split(separator: " ").map(String.init)
                let window = parts.last.flatMap { Int($0) } ?? 0
                let heads = parts.firstIndex(of: "@heads").map { parts[$0 + 1].split(separator: ",") }
                let limits = { (head: String) in heads?.contains { $0 == head } ?? true }
                if limits("1"), window < 50 { words = words.isEmpty ? [] : Array(words.prefix(3)) }
                if limits("0"), window < 2 { words = [] }
            }
            return words.joined(separator: " ")
        }
        return services
    }

    private final class Asked { var interventions: [[String]] = [] }

    private func instance(
        _ folder: TemporaryFolder, _ arguments: [String: String] = [:], _ asked: Asked? = nil
    ) throws -> TestInstance {
        try TestPlugin.built("window-sweep", in: folder.path).instance(arguments, services: services(asked))
    }

    @Test("heads that look near bear a narrow window, the others do not, and who is who is measured")
    func sweep() throws {
        let folder = try TemporaryFolder(), asked = Asked()
        let instance = try instance(
            folder, ["windows": "1500,100,10,1", "heads": "all,local,others,1.1"], asked)
        try instance.run([clip(0, "A B C D"), clip(1, "a, b, c, d.")])
        let rates = try instance.matrix("wer")
        #expect(rates.shape == [4, 4])
        #expect(rates.values == [0, 0, 0.25, 1] + [0, 0, 0, 1] + [0, 0, 0.25, 0.25] + [0, 0, 0.25, 0.25])
        let reach = try instance.rows("reach")
        #expect(reach.map { $0.text("local") } == ["yes", "no", "yes", "no"])
        // The first two frames cannot look two back.
        #expect(abs(reach[0].number("distance (s)") - (48 * 2 + 1) / 50.0 / 50) < 1e-9)
        #expect(abs(reach[1].number("share_near") - 0.3) < 0.05)
        #expect(asked.interventions.contains(["encoder.blocks.*.attn window 10"]))
        #expect(
            asked.interventions.contains([
                "encoder.blocks.0.attn.scores @heads 1 window 10", "encoder.blocks.1.attn.scores @heads 1 window 10",
            ]))
        #expect(asked.interventions.contains(["encoder.blocks.1.attn.scores @heads 1 window 1"]))
        // A window as wide as the context changes nothing, and is not asked for.
        #expect(!asked.interventions.joined().contains { $0.hasSuffix(" 1500") })
        let texts = try instance.rows("texts")
        #expect(texts.contains { $0.text("difference") == "a b c [-d-]" })
        #expect(try instance.text("summary").contains("2 of 4 heads are local, by block 1, 1."))
    }

    @Test("two shares put together give what one run gives, whichever was first")
    func merged() throws {
        let folder = try TemporaryFolder()
        let clips = [clip(0, "a b c d"), clip(1, "a b x d"), clip(2, "")]
        let whole = try instance(folder, ["kept": "2"])
        try whole.run(clips)
        let states = try [[clips[2]], [clips[0], clips[1]]].map { clips in
            let part = try instance(folder, ["kept": "2"])
            try part.activate()
            for clip in clips { try part.process(clip) }
            return try part.save()
        }
        let merged = try instance(folder, ["kept": "2"])
        for state in states { try merged.merge(state) }
        try merged.activate()
        try merged.finish()
        for output in ["sweep", "texts", "reach"] {
            #expect(try merged.lines(output) == whole.lines(output), "\(output)")
        }
        let other = try instance(folder, ["windows": "5"])
        #expect(throws: TestHostError.self) { try other.merge(states[0]) }
    }

    @Test(
        "nonsense is refused in words",
        arguments: [
            ["windows": "wide"], ["windows": "-1"], ["windows": ""], ["heads": "none"], ["heads": "1.x"], ["heads": ""],
        ])
    func refused(_ arguments: [String: String]) throws {
        let folder = try TemporaryFolder()
        #expect(throws: TestHostError.self) { try instance(folder, arguments) }
    }

    @Test("a head that the model has not, patterns of another shape, and no recordings at all")
    func edges() throws {
        let folder = try TemporaryFolder()
        let beyond = try instance(folder, ["heads": "0.9"])
        #expect { try beyond.activate() } throws: { "\($0)".contains("heads 0 to 1") }
        let other = try instance(folder)
        try other.activate()
        var flat = clip(0, "a")
        flat.tensors[0] = TestTensor(
            "encoder.blocks.0.attn.pattern", axes: ["frame", "key_frame"], shape: [1, 1], values: [1])
        #expect { try other.process(flat) } throws: { "\($0)".contains("[1, 1]") }
        let empty = try instance(folder)
        try empty.run([])
        #expect(try empty.rows("sweep").isEmpty && empty.rows("reach").isEmpty && !empty.has("wer"))
    }
}
