import PluginDraws
import PluginKit
import Testing

@testable import Probes

@Suite("Rows of a data set")
struct CollectionTests {
    @Test(
        "a vowel's stress makes no class of its own",
        arguments: [
            ("AY1", "AY"), ("UW0", "UW"), ("AY", "AY"), ("sp", "sp"), ("s10", "s10"), ("ay1", "ay1"), ("AY7", "AY7"),
            ("ˈaɪ", "aɪ"), ("", ""),
        ])
    func stress(label: String, expected: String) {
        #expect(label.withoutStress == expected)
    }

    private func window(_ recording: UInt64, frames: Int = 4, first: Int = 0, columns: [String: String] = [:])
        -> RecordingWindow
    {
        var draws = SplitMix(seed: recording &* 977 &+ UInt64(first))
        let columns =
            columns.isEmpty ? ["language": recording % 2 == 0 ? "en" : "fr", "voice": "v\(recording % 5)"] : columns
        let layers = [("a", 3), ("b", 2)].map { name, features in
            // One row behind the valid ones: padding, which must not count.
            RecordingWindow.Layer(
                hook: name, firstPosition: first, positionsPerSecond: 50, valid: frames, features: features,
                values: (0..<(frames * features)).map { _ in .random(in: -1...1, using: &draws) }
                    + [Float](repeating: 1e6, count: features))
        }
        let start = Double(first) / 50
        return RecordingWindow(
            recording: recording, columns: columns,
            phonemes: [
                .init(start: start, end: start + 0.04, label: "s"), .init(start: start + 0.06, end: 9, label: "t"),
            ],
            words: [.init(start: start, end: start + 0.05, label: "so")], layers: layers)
    }

    private func collected(
        _ recordings: some Sequence<UInt64>, target: Target, reduction: Reduction, limit: Int = 1000
    ) throws -> Collection {
        var collection = Collection(description: "d", limit: limit)
        for recording in recordings {
            for first in [0, 4] {
                try collection.add(
                    window(recording, first: first), target: target, reduction: reduction,
                    speakerColumns: ["speaker", "voice"], seed: 42)
            }
        }
        return collection
    }

    @Test("merged shards are one run to the bit, also where rows are sampled", arguments: [1000, 25], 0..<4)
    func monoid(limit: Int, kind: Int) throws {
        let (target, reduction): (Target, Reduction) = [
            (.column("language"), .mean), (.column("language"), .maximum), (.column("language"), .frames(every: 2)),
            (.phoneme, .frames(every: 1)),
        ][kind]
        let all = Array(0..<60 as Range<UInt64>)
        let one = try collected(all, target: target, reduction: reduction, limit: limit)
        for count in [2, 3] as [UInt64] {
            var merged = Collection(description: "d", limit: limit)
            for shard in (0..<count).reversed() {
                let part = try collected(
                    all.filter { $0 % count == shard }, target: target, reduction: reduction, limit: limit)
                let bytes = try StateEncoder.encode(part.canonical)
                try merged.merge(StateDecoder.decode(Collection.self, from: bytes), reduction: reduction)
            }
            #expect(try StateEncoder.encode(merged.canonical) == StateEncoder.encode(one.canonical))
        }
        #expect(one.sample.count == min(limit, one.sample.count) && !one.sample.isEmpty)
    }

    @Test("a run that goes on from its state, in the middle of a recording, is one run")
    func goesOn() throws {
        var whole = Collection(description: "d", limit: 100)
        var resumed = Collection(description: "d", limit: 100)
        for (index, first) in [0, 4, 8].enumerated() {
            let window = window(1, first: first)
            try whole.add(
                window, target: .column("language"), reduction: .mean, speakerColumns: ["voice"], seed: 1)
            if index == 1 {
                var next = Collection(description: "d", limit: 100)
                try next.merge(
                    StateDecoder.decode(Collection.self, from: StateEncoder.encode(resumed.canonical)), reduction: .mean
                )
                resumed = next
            }
            try resumed.add(
                window, target: .column("language"), reduction: .mean, speakerColumns: ["voice"], seed: 1)
        }
        #expect(try StateEncoder.encode(whole.canonical) == StateEncoder.encode(resumed.canonical))
        #expect(whole.rows.count == 1 && whole.rows[0].count == 12)
    }

    @Test("the mean and the maximum are over valid frames, of all windows")
    func reductions() throws {
        let first = window(3), second = window(3, first: 4)
        let values = [first, second].flatMap { window in (0..<4).map { Double(window.layers[0].values[$0 * 3 + 1]) } }
        for (reduction, expected) in [
            (Reduction.mean, values.reduce(0, +) / 8), (.maximum, values.max() ?? .nan),
        ] {
            let collection = try collected([3], target: .column("language"), reduction: reduction)
            let matrix = collection.study(hook: 0, of: collection.sample)
            #expect(matrix.count == 1 && abs(matrix.values[1] - expected) < 1e-6)
        }
    }

    @Test("frame t has the sound at (t + 0.5) / 50 s; between sounds there is no row; a type is a sound in its word")
    func phonemes() throws {
        var collection = Collection(description: "d", limit: 100)
        try collection.add(
            window(2), target: .phoneme, reduction: .frames(every: 1), speakerColumns: ["voice"], seed: 0)
        // 0.01 and 0.03 s are in s; 0.05 s in nothing; 0.07 s in t, which is in no word.
        #expect(collection.sample.map(\.frame) == [0, 1, 3])
        #expect(collection.sample.map(\.label) == ["s", "s", "t"])
        #expect(collection.sample.map(\.type) == ["so/s", "so/s", "s+t"])
        #expect(collection.sample.map(\.speaker) == ["v2", "v2", "v2"])
    }

    @Test(
        "labels of the targets",
        arguments: [
            ("is_french", ["kind": "speech", "language": "fr"], "yes"), ("is_french", ["language": "fr-CA"], "yes"),
            ("is_french", ["kind": "speech", "language": "en"], "no"),
            ("is_french", ["kind": "nonspeech", "language": ""], nil),
            ("is_speech", ["kind": "nonspeech"], "no"), ("is_speech", ["kind": "speech"], "yes"),
            ("is_speech", [:], nil),
            ("engine", ["engine": "flite"], "flite"), ("engine", ["engine": ""], nil),
        ] as [(String, [String: String], String?)])
    func labels(target: String, columns: [String: String], label: String?) {
        #expect(Target(target).label(columns) == label)
    }

    @Test("a state of another run, or a damaged one, is refused in words")
    func refused() throws {
        var mine = try collected([1, 2], target: .column("language"), reduction: .mean)
        let refusals: [(String, (inout Collection) -> Void)] = [
            ("seed", { $0.seed = 1 }), ("hook points", { $0.hooks = ["x", "y"] }),
            ("features", { $0.rows[0].reduced.removeLast() }), ("not finite", { $0.rows[0].reduced[0] = .nan }),
            ("sizes", { $0.widths = [3] }), ("windows", { $0.windows = -1 }), ("features", { $0.rows[0].count = 0 }),
        ]
        for (word, damage) in refusals {
            var other = try collected([3], target: .column("language"), reduction: .mean)
            damage(&other)
            let error = #expect(throws: PluginError.self) { try mine.merge(other, reduction: .mean) }
            #expect(error?.message.contains(word) == true, "\(error?.message ?? "")")
        }
        let stranger = Collection(description: "other", limit: 1000)
        #expect(throws: PluginError.self) { try mine.merge(stranger, reduction: .mean) }
    }

    @Test("a window with values that are not finite, or with other hook points, is refused")
    func badWindow() throws {
        var collection = try collected([1], target: .column("language"), reduction: .mean)
        let good = window(2)
        let bad = RecordingWindow.Layer(
            hook: "a", firstPosition: 0, positionsPerSecond: 50, valid: 4, features: 3,
            values: [Float](repeating: .nan, count: 12))
        for layers in [[bad, good.layers[1]], [good.layers[0]]] {
            let window = RecordingWindow(
                recording: 9, columns: ["language": "en"], phonemes: [], words: [], layers: layers)
            #expect(throws: PluginError.self) {
                try collection.add(
                    window, target: .column("language"), reduction: .mean, speakerColumns: [], seed: 42)
            }
        }
    }
}
