import PluginKit
import TestHost
import TestSupport
import Testing

@testable import Heads

/// A model of two blocks of two heads, which is made of what it writes without each of them.
///
/// Without head 1 of the encoder's block 0 the last word is lost. Without head 0 of the decoder's block 1 it says the first word five
/// times over. Cross-attention's heads 0.0 and 0.1 stand for one another: without both nothing is written. Where nobody speaks it writes
/// "thank you", unless it is without decoder 0.1.
@Suite("Head census") struct HeadsTests {
    private static let texts = ["one two three four", "five six seven eight"]

    private func services() -> TestServices {
        var services = TestServices()
        let sounds = clips.map { $0.samples ?? [] }
        services.transcribe = { samples, language, interventions in
            guard let number = sounds.firstIndex(of: samples) else { return "what is that" }
            guard language == "en" else { return "qu'est-ce que c'est" }
            let without = Set(interventions)
            if number >= Self.texts.count {
                return without.contains("decoder.blocks.0.attn.z @heads 1 = zero") ? "" : " Thank you."
            }
            var words = Self.texts[number].split(separator: " ").map(String.init)
            if without.contains("encoder.blocks.0.attn.z @heads 1 = zero") { words.removeLast() }
            if without.contains("decoder.blocks.1.attn.z @heads 0 = zero") {
                words = [String](repeating: words[0], count: 20)
            }
            if without.isSuperset(of: (0..<2).map { "decoder.blocks.0.cross_attn.z @heads \($0) = zero" }) {
                words = []
            }
            // Alone, each of the two loses the second word.
            if !without.isDisjoint(with: (0..<2).map { "decoder.blocks.0.cross_attn.z @heads \($0) = zero" }),
                words.count > 1
            {
                words.remove(at: 1)
            }
            return " " + words.joined(separator: " ").uppercased() + "."
        }
        return services
    }

    private let clips = [
        recording(0, Self.texts[0]), recording(1, Self.texts[1]),
        recording(2, labels: ["label": "music"]), recording(3, labels: ["label": "silence"]),
    ]

    private func instance(_ folder: TemporaryFolder, _ arguments: [String: String] = [:]) throws -> TestInstance {
        try TestPlugin.built("heads", in: folder.path).instance(arguments, services: services())
    }

    @Test("what each head is needed for is found, with pairs that stand for one another and the head that invents")
    func census() throws {
        let folder = try TemporaryFolder()
        let instance = try instance(folder, ["worst": "4"])
        try instance.run(clips)
        let rows = try instance.rows("heads")
        #expect(rows.count == 12)
        func row(_ kind: String, _ layer: Double, _ head: Double) throws -> [String: Cell] {
            try #require(
                rows.first {
                    $0.text("attention") == kind && $0.number("layer") == layer && $0.number("head") == head
                })
        }
        let last = try row("encoder", 0, 1), loop = try row("decoder", 1, 0), idle = try row("encoder", 1, 1)
        #expect(last.number("change") == 0.25 && last.number("low_95") == 0.25 && last.number("high_95") == 0.25)
        // Twenty words instead of four: nineteen are wrong, of which four count.
        #expect(loop.number("wer") == 19.0 / 4 && loop.number("bounded_change") == 1)
        #expect(idle.number("change") == 0 && idle.number("differing") == 0 && last.number("differing") == 2)
        let inventor = try row("decoder", 0, 1)
        #expect(inventor.number("words_nonspeech") == 0 && inventor.number("nonspeech_change") == -4)
        #expect(idle.number("words_nonspeech") == 4)

        let encoder = try instance.matrix("encoder-change"), invented = try instance.matrix("decoder-invented")
        #expect(encoder.shape == [2, 2] && encoder.values == [0, 0.25, 0, 0])
        #expect(invented.values == [0, -4, 0, 0])

        let pairs = try instance.rows("pairs")
        #expect(pairs.count == 6)
        let both = try #require(
            pairs.first { $0.text("first") == "cross 0.0" && $0.text("second") == "cross 0.1" })
        #expect(both.number("wer") == 1 && both.number("without_first") == 0.25 && both.number("excess") == 0.5)
        let groups = try instance.rows("together")
        #expect(groups.count == 1 && groups[0].text("heads") == "decoder 0.1")
        #expect(groups[0].number("words_nonspeech") == 0 && groups[0].number("with_all_heads") == 4)
        #expect(try instance.text("summary").contains("Without decoder 0.1: 0 of 4"))
    }

    @Test("shares of the recordings, put together in any order, give what one run gives")
    func merged() throws {
        let folder = try TemporaryFolder()
        let whole = try instance(folder, ["kept": "1"])
        try whole.run(clips)
        let parts = try [[2, 3], [1], [0]].map { numbers in
            let part = try instance(folder, ["kept": "1"])
            try part.activate()
            for number in numbers { try part.process(clips[number]) }
            return try part.save()
        }
        let merged = try instance(folder, ["kept": "1"])
        for part in parts { try merged.merge(part) }
        try merged.activate()
        try merged.finish()
        for output in ["heads", "pairs", "together", "recordings"] {
            #expect(try merged.lines(output) == whole.lines(output), "\(output)")
        }
        #expect(try merged.text("summary") == whole.text("summary"))
    }

    @Test("windows of one recording are heard as one; without a text, what all heads write is right")
    func windows() throws {
        let folder = try TemporaryFolder()
        var services = services()
        var lengths: Set<Int> = []
        services.transcribe = { samples, _, interventions in
            lengths.insert(samples.count)
            return interventions.first?.hasPrefix("encoder.blocks.1.attn.z @heads 0") == true ? "a b" : "a b c d"
        }
        let instance = try TestPlugin.built("heads", in: folder.path).instance(
            ["attention": "encoder", "layers": "1", "change": "mean"], services: services)
        var windows = [recording(0), recording(0)]
        for place in 0..<2 { (windows[place].window, windows[place].windowCount) = (place, 2) }
        try instance.run(windows)
        #expect(lengths == [32_000])
        let rows = try instance.rows("heads")
        #expect(rows.map { $0.number("change") } == [0.5, 0])
        let heard = try instance.rows("recordings")
        #expect(heard[0].text("reference") == "all heads" && heard[0].number("heads_that_change_it") == 1)
        #expect(!instance.has("pairs") && !instance.has("encoder-invented"))
    }

    @Test(
        "nonsense is refused in words",
        arguments: [
            ["attention": "ears"], ["attention": ""], ["layers": "x"], ["layers": "-1"], ["nonspeech": "music"],
        ])
    func refused(_ arguments: [String: String]) throws {
        let folder = try TemporaryFolder()
        #expect(throws: TestHostError.self) { try instance(folder, arguments) }
    }

    @Test("a block that the model has not, a state of another model, and a run without recordings")
    func edges() throws {
        let folder = try TemporaryFolder()
        let beyond = try instance(folder, ["layers": "7"])
        #expect { try beyond.activate() } throws: { "\($0)".contains("blocks 0 to 1") }
        let small = try instance(folder, ["attention": "cross"]), large = try instance(folder)
        try small.run([clips[0]])
        try large.merge(small.save())
        #expect { try large.activate() } throws: { "\($0)".contains("4 heads") }
        let empty = try instance(folder)
        try empty.run([])
        #expect(try empty.rows("heads").allSatisfy { $0.number("wer").isNaN })
        #expect(!empty.has("pairs"))
        #expect(throws: TestHostError.self) { try instance(folder).merge([1, 2, 3]) }
    }
}
