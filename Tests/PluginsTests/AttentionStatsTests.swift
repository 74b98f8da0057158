import Foundation
import PluginKit
import TestHost
import TestSupport
import Testing

@Suite("Attention statistics of heads whose answer is planted")
struct AttentionStatsTests {
    let stats: AttentionStatsRun
    init() throws { stats = try AttentionStatsRun() }

    @Test("A head that looks where it is has distance, entropy and diagonality 0, and is positional at offset 0")
    func identity() throws {
        let head = try #require(
            try stats.heads([clip(queries: 50, keys: 80, valid: 50) { _, q, k in q == k ? 1 : 0 }]).first)
        #expect(head.number("distance") == 0)
        #expect(head.number("entropy") == 0)
        #expect(head.number("normalised entropy") == 0)
        #expect(abs(head.number("diagonality")) < 1e-12)
        #expect(head.number("offset") == 0)
        #expect(head.number("offset share") == 1)
        #expect(head.number("padding") == 0)
        #expect(head.number("rows") == 50)
        #expect(head.text("class") == "positional")
    }

    @Test("A head that looks everywhere has entropy ln K, distance (K² − 1)/(3K) frames, and is global")
    func uniform() throws {
        let K = 64
        let head = try #require(
            try stats.heads([clip(queries: K, keys: K, valid: K) { _, _, _ in 1 / 64 }], ["within": "0,10"]).first)
        let frames = Double(K * K - 1) / Double(3 * K)
        #expect(abs(head.number("distance") - frames / 50) < 1e-10)
        #expect(abs(head.number("entropy") - log(64)) < 1e-10)
        #expect(abs(head.number("normalised entropy") - 1) < 1e-10)
        #expect(abs(head.number("diagonality") + frames / Double(K)) < 1e-10)
        #expect(abs(head.number("within 0") - 1.0 / 64) < 1e-10)
        #expect(head.text("class") == "global")
        // A window without padding has no sink to look at.
        #expect(head.number("sink").isNaN && head.number("padding").isNaN)
    }

    @Test("A head that looks five frames ahead has distance 0.1 s and offset 5; what leaves the audio is on padding")
    func fixedOffset() throws {
        let head = try #require(
            try stats.heads(
                [clip(queries: 50, keys: 80, valid: 50) { _, q, k in k == q + 5 ? 1 : 0 }],
                ["within": "4,5", "sink-width": "2"]
            ).first)
        #expect(abs(head.number("distance") - 0.1) < 1e-12)
        #expect(head.number("offset") == 5)
        #expect(head.number("within 4") == 0)
        #expect(head.number("within 5") == 1)
        #expect(abs(head.number("padding") - 5.0 / 50) < 1e-12)
        #expect(abs(head.number("sink") - 2.0 / 50) < 1e-12)
        #expect(head.text("class") == "positional")
    }

    @Test("A head that rests right after the speech is a sink head; further on is padding and no sink")
    func sink() throws {
        let both = clip(heads: 2, queries: 40, keys: 100, valid: 40) { head, _, k in
            head == 0 ? (k >= 40 && k < 50 ? 0.1 : 0) : (k >= 80 ? 0.05 : 0)
        }
        let heads = try stats.heads([both], ["sink-width": "10"])
        #expect(abs(heads[0].number("sink") - 1) < 1e-6)
        #expect(abs(heads[0].number("padding") - 1) < 1e-6)
        #expect(heads[0].text("class") == "sink")
        #expect(heads[1].number("sink") == 0)
        #expect(abs(heads[1].number("padding") - 1) < 1e-6)
        #expect(heads[1].text("class") == "global")
    }

    @Test("A head that looks at its neighbours alike is local, and a threshold decides")
    func local() throws {
        let near = clip(queries: 60, keys: 100, valid: 60) { _, q, k in
            let from = max(0, q - 6), to = q + 6
            return k >= from && k <= to ? 1 / Float(to - from + 1) : 0
        }
        let head = try #require(try stats.heads([near], ["within": "6"]).first)
        #expect(abs(head.number("within 6") - 1) < 1e-6)
        #expect(head.text("class") == "local")
        let strict = try #require(try stats.heads([near], ["local-width": "1"]).first)
        #expect(strict.text("class") == "global")
        let generous = try #require(try stats.heads([near], ["positional-width": "6"]).first)
        #expect(generous.text("class") == "positional")
    }

    @Test("Rows after the audio are not counted, also where they are given")
    func padding() throws {
        let head = try #require(
            try stats.heads([clip(queries: 80, keys: 80, valid: 30) { _, q, k in k == (q < 30 ? q : 0) ? 1 : 0 }]).first
        )
        #expect(head.number("rows") == 30)
        #expect(head.number("distance") == 0)
    }

    @Test("The decoder's distance is in tokens, and its entropy is held against the tokens that a query may attend to")
    func decoder() throws {
        let tokens = clip(
            hook: "decoder.blocks.1.attn.pattern", heads: 2, queries: 4, keys: 4, valid: 50
        ) { head, q, k in head == 0 ? (k <= q ? 1 / Float(q + 1) : 0) : (k == 0 ? 1 : 0) }
        let heads = try stats.heads([tokens], ["attention": "decoder"])
        #expect(heads[0].text("unit") == "tokens")
        #expect(abs(heads[0].number("distance") - (0 + 0.5 + 1 + 1.5) / 4) < 1e-7)
        #expect(abs(heads[0].number("normalised entropy") - 1) < 1e-7)
        #expect(heads[0].number("layer") == 1)
        // The first row can only look at the first token, so it says nothing of a sink.
        #expect(abs(heads[0].number("sink") - (1.0 / 2 + 1.0 / 3 + 1.0 / 4) / 3) < 1e-7)
        #expect(heads[1].number("sink") == 1)
        #expect(heads[1].text("class") == "sink")
        #expect(heads[1].number("padding").isNaN)
    }

    @Test("Cross-attention has a distance where the data set says when the words are heard, and none elsewhere")
    func cross() throws {
        var services = TestServices()
        services.decode = { tokens in
            tokens.map { [0: "<|en|>", 1: " Hel", 2: "lo", 3: " world", 4: "."][$0] ?? "?" }.joined()
        }
        // Row q attends while token q + 1 is chosen. "hello" is heard around 0.21 s (frame 10), "world" around 0.61 s.
        let target = [10, 10, 30, 30, 0]
        var heard = clip(
            hook: "decoder.blocks.0.cross_attn.pattern", queries: 5, keys: 60, valid: 50
        ) { _, q, k in k == target[q] + 2 ? 1 : 0 }
        heard.tokens = [0, 1, 2, 3, 4]
        heard.words = [(0.11, 0.31, "hello"), (0.51, 0.71, "World")]
        let instance = try stats.plugin.instance(["attention": "cross"], services: services)
        #expect(instance.needs.hooks == ["decoder.blocks.*.cross_attn.pattern"])
        try instance.run([heard])
        let head = try #require(try AttentionStatsRun.rows(instance.result("heads")).first)
        #expect(abs(head.number("distance") - 0.04) < 1e-9)
        #expect(head.number("offset") == 2)
        #expect(head.number("rows") == 5)

        heard.words[1].label = "word"
        let other = try stats.plugin.instance(["attention": "cross"], services: services)
        try other.run([heard])
        let unknown = try #require(try AttentionStatsRun.rows(other.result("heads")).first)
        #expect(unknown.number("distance").isNaN && unknown.number("offset").isNaN)
        #expect(unknown.number("entropy") == 0)
    }

    @Test("Heat maps have a row for each layer and a column for each head, and the histogram holds all mass")
    func maps() throws {
        var both = clip(heads: 3, queries: 10, keys: 40, valid: 10) { head, q, k in k == q + 8 * head ? 1 : 0 }
        both.tensors.append(both.tensors[0])
        both.tensors[1].hook = "encoder.blocks.1.attn.pattern"
        let instance = try stats.plugin.instance()
        try instance.run([both])
        guard case .array(let distances, let shape) = try instance.result("encoder-distance") else {
            throw UnexpectedKind()
        }
        #expect(shape == [2, 3])
        #expect(distances.map { ($0 * 50).rounded() } == [0, 8, 16, 0, 8, 16])
        guard case .array(let bins, let binShape) = try instance.result("encoder-distances") else {
            throw UnexpectedKind()
        }
        #expect(binShape == [6, 12])
        // 0 lies in the bin "0", 8 in "8–15", 16 in "16–31".
        #expect((0..<3).map { head in bins[head * 12..<(head + 1) * 12].firstIndex(of: 1)! - head * 12 } == [0, 4, 5])
        guard case .table(_, let classes) = try instance.result("classes") else { throw UnexpectedKind() }
        // Eight frames ahead is after the end of ten frames of audio for eight queries of them.
        #expect(classes.first == ["encoder", 4, 2, 0, 0])
    }

    @Test("Results for each recording are given when its last window was heard")
    func perRecording() throws {
        var windows = (0..<2).map { window in
            clip(name: "long.wav", queries: 10, keys: 40, valid: 10) { _, q, k in k == q + 10 * window ? 1 : 0 }
        }
        for window in 0..<2 { (windows[window].window, windows[window].windowCount) = (window, 2) }
        let instance = try stats.plugin.instance(["per-recording": "true"])
        try instance.activate()
        try instance.process(windows[0])
        #expect(instance.results.isEmpty)
        // A run that was broken off between the windows goes on in another instance.
        let second = try stats.plugin.instance(["per-recording": "true"])
        try second.merge(instance.save())
        try second.activate()
        try second.process(windows[1])
        let head = try #require(
            try AttentionStatsRun.rows(second.result("recording-heads", recording: "long.wav")).first)
        #expect(head.number("rows") == 20)
        #expect(abs(head.number("distance") - 0.1) < 1e-12)
        try second.finish()
        guard case .scalar(let recordings) = try second.result("recordings") else { throw UnexpectedKind() }
        #expect(recordings == 1)
    }
}
