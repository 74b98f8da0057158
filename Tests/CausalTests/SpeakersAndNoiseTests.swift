import PluginKit
import TestHost
import TestSupport
import Testing

@testable import SpeakersAndNoise

/// Speakers whose voices differ in nothing but their mean: it is above nothing for the first two, below for the other two. Column 3 of the
/// encoder's block 1 is the mean of a frame, all others are differences of two samples.
@Suite("Speakers and noise") struct SpeakersAndNoiseTests {
    private static func clip(_ number: UInt64) -> TestClip {
        let speaker = Int(number % 4)
        var clip = recording(
            number, "word\(number) said\(number)", seconds: 2, labels: ["speaker": "speaker \(speaker)"])
        clip.samples = clip.samples?.map { $0 + (speaker < 2 ? 0.2 : -0.2) }
        return clip
    }

    private let clips = (0..<24).map { clip(UInt64($0)) }

    private func services() -> TestServices {
        var services = TestServices()
        services.encode = { text, special in
            let names = ["<|startoftranscript|>", "<|endoftext|>", "<|notimestamps|>", "<|nospeech|>"]
            if special { return names.firstIndex(of: text).map { [Int32($0)] } ?? [] }
            return text.split(separator: " ").map { _ in 5 }
        }
        services.run = { samples, tokens, _, hooks in
            guard let samples else { throw PluginError(.failed, "there is no sound") }
            if hooks == ["decoder.logits"] {
                // Token 5 and the end are equally likely, and all others impossible.
                let row: [Float] = [-1e9, 0, -1e9, -1e9, -1e9, 0]
                return [
                    TestTensor(
                        "decoder.logits", axes: ["token", "vocab"], shape: [tokens.count, 6],
                        values: tokens.indices.flatMap { _ in row })
                ]
            }
            let frames = samples.count / 320
            return (0..<2).map { block in
                var values = [Float](repeating: 0, count: frames * 6)
                for frame in 0..<frames {
                    let part = samples[frame * 320..<(frame + 1) * 320]
                    for column in 0..<6 {
                        let place = part.startIndex + column * 50 + block
                        values[frame * 6 + column] =
                            block == 1 && column == 3
                            ? part.reduce(0, +) / 320 : (part[place] - part[place + 1]) * 10
                    }
                }
                return TestTensor(
                    "encoder.blocks.\(block)", axes: ["frame", "state"], shape: [frames, 6], values: values,
                    validPositions: frames)
            }
        }
        services.transcribe = { samples, _, interventions in
            if samples.allSatisfy({ $0 == 0 }) { return "" }
            // Two at once are as long as one, and louder: the mean says which.
            let mean = samples.reduce(0) { $0 + Double($1) } / Double(samples.count)
            if abs(mean) < 0.01, samples.count != 32_000 {
                return interventions.contains("decoder.blocks.1.attn.z @heads 0 = zero") ? "" : "thank you"
            }
            return "word1 said1 other"
        }
        return services
    }

    private func instance(_ folder: TemporaryFolder, _ arguments: [String: String] = [:]) throws -> TestInstance {
        try TestPlugin.built("speakers-and-noise", in: folder.path).instance(arguments, services: services())
    }

    @Test("the feature that tells speakers apart is found with some, and tells others apart")
    func jumps() throws {
        let folder = try TemporaryFolder()
        let instance = try instance(folder, ["made": "false", "overlaps": "0", "top": "3", "span": "1"])
        try instance.run(clips)
        let rows = try instance.rows("jumps")
        #expect(rows.count == 3)
        #expect(rows[0].text("hook") == "encoder.blocks.1" && rows[0].number("column") == 3)
        // Half of the others are of the same sign, so that they do not jump.
        #expect(rows[0].number("auc_found") > 0.7 && rows[0].number("p") < 0.1)
        #expect(rows[0].number("auc_scored") > 0.7)
        #expect(rows[1].number("p") > 0.1)
        #expect(try instance.rows("hooks").map { $0.number("columns") } == [6, 6])
        guard case .audio(let samples, 16_000) = try #require(instance.results.first { $0.output == "splice" }).value
        else {
            Issue.record("the splice cannot be heard")
            return
        }
        // 1.5 s, 0.1 s, 1.5 s.
        #expect(samples.count == 49_600 && samples[24_000..<25_600].allSatisfy { $0 == 0 })
    }

    @Test("two at once: whose words are written, and how likely the model finds them")
    func overlaps() throws {
        let folder = try TemporaryFolder()
        let instance = try instance(folder, ["made": "false", "splices": "0", "overlaps": "50", "levels": "0,-6"])
        try instance.run(clips)
        let rows = try instance.rows("levels")
        #expect(rows.map { $0.number("second_louder_db") } == [0, -6] && rows.allSatisfy { $0.number("pairs") == 24 })
        let each = try instance.rows("overlaps")
        #expect(each.count == 48)
        let first = try #require(each.first { $0.text("first") == "1.wav" })
        #expect(first.number("of_first") == 2 && first.number("of_second") == 0 && first.number("of_neither") == 1)
        // Two tokens are possible at each place.
        #expect(abs(first.number("log_probability") + 0.693147) < 1e-5)
    }

    @Test("what is written where nobody speaks, for sounds of the data set and made ones, and the head that writes it")
    func inventions() throws {
        let folder = try TemporaryFolder()
        let instance = try instance(folder)
        try instance.run([
            recording(0, seconds: 3, labels: ["label": "music"]), recording(1, labels: ["label": "door"]),
        ])
        let rows = try instance.rows("nonspeech")
        #expect(rows.map { $0.text("kind") } == ["music"] + [String](repeating: "made", count: 5))
        #expect(rows[0].text("text") == "thank you" && rows[0].number("words") == 2)
        #expect(abs(rows[0].number("log_probability") + 0.693147) < 1e-5 && rows[0].number("no_speech") < 1e-6)
        let silent = try #require(rows.first { $0.text("recording") == "made: silence" })
        #expect(silent.number("words") == 0 && silent.number("log_probability").isNaN)
        let heads = try instance.rows("heads")
        #expect(heads.count == 4 && heads[0].text("head") == "decoder 1.0" && heads[0].number("words") == 0)
        #expect(heads[1].number("change") == 0)
        let together = try instance.rows("together")
        #expect(together.count == 1 && together[0].number("with_all_heads") == 10 && together[0].number("words") == 0)
        #expect(try instance.text("summary").contains("words are written for 5 of 6 sounds, 10 in all"))
    }

    @Test("a splice is matched in level, and silence is no speech")
    func splicing() throws {
        let loud = [Float](repeating: 0.5, count: 16_000), quiet = [Float](repeating: -0.05, count: 16_000)
        let spliced = Splicing.splice(loud, quiet, gap: 0.05)
        #expect(spliced.count == 32_800 && abs(spliced[32_000] + 0.5) < 1e-6)
        let mixed = Splicing.mix(loud, quiet, decibels: -20)
        #expect(mixed.count == 16_000 && abs(mixed[0] - 0.45) < 1e-6)
        // 0.5 + 1.58 exceeds full scale.
        #expect(Splicing.mix(loud, loud, decibels: 10).allSatisfy { abs($0 - 1) < 1e-6 })
        let silence = [Float](repeating: 0, count: 4000)
        #expect(Splicing.spoken(silence + loud + silence) == 3840..<20_160)
        #expect(Splicing.end(of: silence, seconds: 0.1) == nil)
        #expect(Splicing.beginning(of: silence + loud, seconds: 2) == nil)
        #expect(Splicing.splice(silence, silence, gap: 0).allSatisfy { $0 == 0 })
    }

    @Test("shares put together in any order make one run")
    func merged() throws {
        let folder = try TemporaryFolder()
        let arguments = ["made": "false", "overlaps": "2", "kept": "12"]
        let clips = Array(clips.prefix(14)) + [recording(30, seconds: 3, labels: ["label": "noise"])]
        let whole = try instance(folder, arguments), merged = try instance(folder, arguments)
        try whole.run(clips)
        for part in [clips[10...], clips[..<4], clips[4..<10]] {
            let instance = try instance(folder, arguments)
            try instance.activate()
            for clip in part { try instance.process(clip) }
            try merged.merge(instance.save())
        }
        try merged.activate()
        try merged.finish()
        for output in ["jumps", "hooks", "levels", "nonspeech", "heads"] {
            #expect(try merged.lines(output) == whole.lines(output), "\(output)")
        }
    }

    @Test(
        "nonsense is refused in words; nothing to hear gives reasons",
        arguments: [
            ["hooks": ""], ["hooks": "decoder.blocks.0"], ["levels": "loud"], ["levels": ""],
            ["attention": "x"], ["nonspeech": "music"],
        ])
    func refused(_ arguments: [String: String]) throws {
        let folder = try TemporaryFolder()
        #expect(throws: TestHostError.self) { try instance(folder, arguments) }
        let empty = try instance(folder, ["made": "false"])
        try empty.run([])
        let summary = try empty.text("summary")
        #expect(summary.contains("No splices") && summary.contains("No sound is without speech."))
    }
}
