import PluginKit
import TestHost
import TestSupport
import Testing

@Suite("The state of attention statistics")
struct AttentionStatsStateTests {
    let stats: AttentionStatsRun
    let clips = (0..<7).map { randomClip(recording: UInt64($0), seed: UInt64($0)) }
    init() throws { stats = try AttentionStatsRun() }

    private func state(_ clips: [TestClip], _ arguments: [String: String] = [:]) throws -> [UInt8] {
        let instance = try stats.plugin.instance(arguments)
        try instance.activate()
        for clip in clips { try instance.process(clip) }
        return try instance.save()
    }

    @Test("However the recordings are divided and merged, state and results are those of one run, to the bit")
    func merging() throws {
        let whole = try stats.plugin.instance()
        try whole.run(clips)
        for shards in 2...4 {
            // Merged from the last to the first: the order is not that of the recordings.
            let parts = try (0..<shards).reversed().map { shard in
                try state(clips.filter { $0.recording % UInt64(shards) == UInt64(shard) })
            }
            let merged = try stats.plugin.instance()
            for part in parts { try merged.merge(part) }
            #expect(try merged.save() == whole.save())
            try merged.finish()
            #expect(merged.results.map(\.output) == whole.results.map(\.output))
            for (one, other) in zip(merged.results, whole.results) {
                #expect("\(one.value)" == "\(other.value)", "\(one.output)")
            }
        }
    }

    @Test("Saving changes nothing")
    func saving() throws {
        let instance = try stats.plugin.instance()
        try instance.activate()
        try instance.process(clips[0])
        #expect(try instance.save() == instance.save())
        try instance.process(clips[1])
        #expect(try instance.save() == state(Array(clips[0..<2])))
    }

    @Test("A state of other distances is refused, and what was heard before stays")
    func otherArguments() throws {
        let instance = try stats.plugin.instance()
        try instance.activate()
        try instance.process(clips[0])
        let before = try instance.save()
        let error = #expect(throws: TestHostError.self) {
            try instance.merge(state([clips[1]], ["within": "3"]))
        }
        #expect(error?.status == 2)
        #expect(error?.message.contains("within [3]") == true)
        #expect(try instance.save() == before)
    }

    @Test("Damaged bytes are refused or read as another state; nothing crashes")
    func damage() throws {
        let bytes = try state([clips[0]], ["within": "1"])
        for length in stride(from: 0, to: bytes.count, by: 97) {
            let instance = try stats.plugin.instance(["within": "1"])
            #expect(throws: TestHostError.self) { try instance.merge(Array(bytes.prefix(length))) }
        }
        var refused = 0, taken = 0
        for place in stride(from: 0, to: bytes.count, by: 13) {
            for flip in [0x01, 0x80, 0xFF] as [UInt8] {
                var damaged = bytes
                damaged[place] ^= flip
                let instance = try stats.plugin.instance(["within": "1"])
                do {
                    try instance.merge(damaged)
                    // What was taken can be gone on with.
                    try instance.activate()
                    try? instance.process(clips[1])
                    try? instance.finish()
                    taken += 1
                } catch is TestHostError { refused += 1 }
            }
        }
        #expect(refused > 0 && taken > 0)
    }
}

@Suite("What attention statistics refuses")
struct AttentionStatsErrorTests {
    let stats: AttentionStatsRun
    init() throws { stats = try AttentionStatsRun() }

    @Test(
        "An argument that makes no sense is named",
        arguments: [
            (["attention": "sideways"], "sideways"), (["attention": ""], "attention"), (["within": "1,x"], "x"),
            (["layers": "-1"], "-1"), (["sink-width": "0"], "sink-width"), (["sink-width": "wide"], "wide"),
            (["local-share": "2"], "local-share"), (["colour": "red"], "colour"),
        ])
    func arguments(_ arguments: [String: String], _ named: String) {
        let error = #expect(throws: TestHostError.self) { try stats.plugin.instance(arguments) }
        #expect(error?.status == 2)
        #expect(error?.message.contains(named) == true)
    }

    @Test("A layer that the model lacks is refused when the model is known")
    func layers() throws {
        let instance = try stats.plugin.instance(["layers": "0,9"])
        #expect(instance.needs.hooks == ["encoder.blocks.0.attn.pattern", "encoder.blocks.9.attn.pattern"])
        let error = #expect(throws: TestHostError.self) { try instance.activate() }
        #expect(error?.message.contains("layers has 9") == true)
    }

    @Test("A pattern that is not finite ends the run with its name", arguments: [Float.nan, .infinity, -.infinity])
    func notFinite(_ value: Float) throws {
        let instance = try stats.plugin.instance()
        try instance.activate()
        let error = #expect(throws: TestHostError.self) {
            try instance.process(clip(queries: 5, keys: 8, valid: 5) { _, q, k in q == 3 && k == 2 ? value : 0.1 })
        }
        #expect(error?.status == 1)
        #expect(error?.message.contains("encoder.blocks.0.attn.pattern of a.wav") == true)
    }

    @Test("A pattern of another rank, and heads that change their number, are refused")
    func shapes() throws {
        let instance = try stats.plugin.instance()
        try instance.activate()
        var flat = clip(queries: 4, keys: 4, valid: 4) { _, _, _ in 0.25 }
        flat.tensors[0].shape = [4, 4]
        #expect(throws: TestHostError.self) { try instance.process(flat) }
        try instance.process(clip(queries: 4, keys: 4, valid: 4) { _, _, _ in 0.25 })
        #expect(throws: TestHostError.self) {
            try instance.process(clip(heads: 2, queries: 4, keys: 4, valid: 4) { _, _, _ in 0.25 })
        }
    }

    @Test("Clips without audio or patterns, and no clips at all, give results without rows")
    func nothing() throws {
        let instance = try stats.plugin.instance()
        try instance.run([clip(queries: 0, keys: 0, valid: 0) { _, _, _ in 0 }, TestClip()])
        let rows = try AttentionStatsRun.rows(instance.result("heads"))
        #expect(rows.count == 1 && rows[0].number("rows") == 0 && rows[0].number("entropy").isNaN)
        let silent = try stats.plugin.instance()
        try silent.run([])
        #expect(try AttentionStatsRun.rows(silent.result("heads")).isEmpty)
    }

    @Test("A run that was cancelled ends with that status")
    func cancelled() throws {
        var services = TestServices()
        services.isCancelled = { true }
        let instance = try stats.plugin.instance(services: services)
        try instance.activate()
        let error = #expect(throws: TestHostError.self) {
            try instance.process(clip(queries: 4, keys: 4, valid: 4) { _, _, _ in 0.25 })
        }
        #expect(error?.status == 4)
    }
}
