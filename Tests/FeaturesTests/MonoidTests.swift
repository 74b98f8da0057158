import PluginDraws
import TestHost
import TestSupport
import Testing

@Suite("Features in parts")
struct MonoidTests {
    private let folder: TemporaryFolder
    private let plugin: TestPlugin
    private static let recordings = 24

    init() throws {
        folder = try TemporaryFolder()
        plugin = try featuresPlugin(folder)
    }

    /// Recordings of several windows, of no frames, without labels, with values of many magnitudes, and many ties.
    private static func clips(_ recording: Int) -> [TestClip] {
        let speech = MadeUpSpeech(features: 5) { heard, draws in
            let noise = draws.noise()
            return [
                noise, heard[0] == "a" ? 1 : 0, (noise * 4).rounded(), noise * Float(1 << (draws.next() % 20)),
                -abs(noise) - 1,
            ]
        }
        var clip = speech.clip(recording, frames: recording % 7 == 3 ? 0 : 20 + recording % 5)
        if recording % 5 == 2 { clip.phonemes = [] }
        if recording % 6 == 5 { clip.labels = ["colour": "\(recording)"] }
        guard recording % 4 == 1 else { return [clip] }
        // A second window, 1500 frames on.
        var first = clip
        (first.windowCount, first.duration) = (2, 30)
        clip = speech.clip(recording + 1000, frames: 9)
        (clip.recording, clip.name, clip.labels) = (first.recording, first.name, first.labels)
        (clip.window, clip.windowCount, clip.start, clip.phonemes) = (1, 2, 30, first.phonemes)
        clip.tensors[0].firstPosition = 1500
        return [first, clip]
    }

    private func instance() throws -> TestInstance {
        try plugin.instance([
            "emit": "all", "k": "4", "reservoir": "2", "sides": "both", "sample": "60", "sample-per-sound": "7",
            "column-values": "3", "minimum": "2", "threshold": "0.8", "permutations": "20", "significance": "1",
        ])
    }

    private func heard(_ recordings: some Sequence<Int>) throws -> TestInstance {
        let instance = try instance()
        try instance.activate()
        for recording in recordings { for clip in Self.clips(recording) { try instance.process(clip) } }
        return instance
    }

    private func tables(_ instance: TestInstance) throws -> [String] {
        try instance.finish()
        return instance.results.map { "\($0.output) \($0.value)" }
    }

    @Test("any division, in any order, merged in any order, is one run to the bit", arguments: 0..<12 as Range<UInt64>)
    func monoid(seed: UInt64) throws {
        var draws = SplitMix(seed: seed)
        let whole = try heard(0..<Self.recordings)
        let order = (0..<Self.recordings).shuffled(using: &draws)
        let count = Int.random(in: 1...5, using: &draws)
        var states = try (0..<count).map { part in
            try heard(order.enumerated().filter { $0.offset % count == part }.map(\.element)).save()
        }
        // An empty part changes nothing.
        states.append(try heard([]).save())
        while states.count > 1 {
            let one = try instance()
            let (a, b) = (states.remove(at: Int.random(in: 0..<states.count, using: &draws)), states.removeFirst())
            try one.merge(a)
            try one.merge(b)
            states.append(try one.save())
        }
        let merged = try instance()
        try merged.merge(states[0])
        try merged.activate()
        #expect(try merged.save() == whole.save())
        #expect(try tables(merged) == tables(whole))
    }

    @Test("a run that goes on from a state is one run to the bit, and saving changes nothing")
    func resumed() throws {
        let whole = try heard(0..<Self.recordings)
        let first = try heard(0..<9)
        let state = try first.save()
        #expect(try first.save() == state)
        for recording in 9..<Self.recordings { for clip in Self.clips(recording) { try first.process(clip) } }
        let resumed = try instance()
        try resumed.merge(state)
        try resumed.activate()
        for recording in 9..<Self.recordings { for clip in Self.clips(recording) { try resumed.process(clip) } }
        #expect(try resumed.save() == whole.save())
        #expect(try first.save() == whole.save())
        #expect(try tables(resumed) == tables(whole))
    }

    @Test("a state of other settings, another seed or other features is refused in words")
    func strangers() throws {
        let state = try heard(0..<3).save()
        let other = try plugin.instance(["k": "5"])
        #expect { try other.merge(state) } throws: { "\($0)".contains("k 4") && "\($0)".contains("k 5") }
        let seeded = try instance()
        var run = TestRun()
        run.seed = 9
        try seeded.activate(run)
        #expect { try seeded.merge(state) } throws: { "\($0)".contains("seed 0") && "\($0)".contains("9") }
        let wider = try instance()
        try wider.activate()
        try wider.process(MadeUpSpeech(features: 3) { _, draws in [draws.noise(), 0, 0] }.clip(0))
        #expect { try wider.merge(state) } throws: { "\($0)".contains("5 features") }
    }

    @Test("a damaged state ends in words or is taken for another, and never in a trap")
    func damaged() throws {
        let state = try heard(0..<8).save()
        #expect(throws: TestHostError.self) { try instance().merge([]) }
        for length in stride(from: 0, to: state.count, by: max(1, state.count / 150)) {
            #expect(throws: TestHostError.self) { try instance().merge(Array(state[..<length])) }
        }
        var draws = SplitMix(seed: 5)
        var refused = 0
        for _ in 0..<400 {
            var bytes = state
            // The head, where counts and sizes are, is hit as often as the tables.
            let span = draws.next() % 2 == 0 ? min(2000, bytes.count) : bytes.count
            bytes[Int(draws.next() % UInt64(span))] = UInt8(truncatingIfNeeded: draws.next())
            let one = try instance()
            do {
                try one.merge(bytes)
                try one.activate()
                for clip in Self.clips(1) { try one.process(clip) }
                _ = try one.save()
                try one.finish()
            } catch { refused += 1 }
        }
        #expect(refused > 0)
        // What was refused has left nothing behind.
        let one = try instance()
        #expect(throws: TestHostError.self) { try one.merge(Array(state.dropLast())) }
        try one.merge(state)
        #expect(try one.save() == state)
    }
}
