import Foundation
import PluginDraws
import PluginKit
import TestHost
import TestSupport
import Testing

/// Whether a p-value is one: uniform where a feature has nothing to do with the labels, and as small as it can be where
/// it follows them. Seeds are fixed, so whatever comes about comes about again.
@Suite("p-values of labels")
struct PValueTests {
    private static let features = 200
    private static let draws = 199
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Recordings of 40 frames. Sounds last three to nine frames; the language is the speaker's, and the room is drawn for
    /// each recording.
    private struct Speech {
        var speakers = 40
        var recordings = 180
        var features = PValueTests.features
        var isFrench: (_ speaker: Int) -> Bool = { Hashing.key(seed: 3, purpose: "language", "\($0)") % 5 < 2 }
        let activation: (_ speaker: Int, _ clip: TestClip, _ sounds: [String], _ draws: inout SplitMix) -> [[Float]]

        func clips() -> [TestClip] {
            (0..<recordings).map { number in
                var draws = SplitMix(seed: Hashing.key(seed: 7, recording: UInt64(number), frame: 0))
                // Drawn: speakers in turn would be where they were after some rotations.
                let speaker = draws.next(below: speakers)
                var clip = TestClip()
                (clip.recording, clip.name) = (UInt64(number), "r\(number).wav")
                (clip.duration, clip.validFrames) = (0.8, 40)
                clip.labels = [
                    "speaker": "s\(speaker)", "language": isFrench(speaker) ? "fr" : "en",
                    "room": draws.next(below: 3) == 0 ? "hall" : "dry",
                ]
                var sounds: [String] = []
                while sounds.count < 40 {
                    let (start, length) = (sounds.count, 3 + draws.next(below: 7))
                    sounds += Array(repeating: ["a", "b", "s", "t", "m"][draws.next(below: 5)], count: length)
                    clip.phonemes.append((Double(start) / 50, Double(sounds.count) / 50, sounds[start]))
                }
                // By feature, and then by frame.
                let values = activation(speaker, clip, sounds, &draws)
                clip.tensors = [
                    TestTensor(
                        MadeUpSpeech.hook, axes: ["frame", "neuron"], shape: [40, features],
                        values: (0..<40).flatMap { frame in values.map { $0[frame] } })
                ]
                return clip
            }
        }
    }

    /// Drawn as a speaker's, a recording's or a feature's own: uniform in [−1, 1).
    private static func effect(_ purpose: String, _ number: Int, _ feature: Int) -> Float {
        Float(Hashing.unit(Hashing.key(seed: 11, purpose: purpose, "\(number) \(feature)")) * 2 - 1)
    }

    private func labels(_ speech: Speech, kinds: String, _ more: [String: String] = [:]) throws -> ResultTable {
        let arguments = [
            "emit": "all", "kinds": kinds, "threshold": "0.9", "significance": "1", "lift": "0", "sample": "100000",
            "permutations": "\(Self.draws)", "curves": "false",
        ]
        let instance = try featuresPlugin(folder).instance(arguments.merging(more) { $1 })
        try instance.run(speech.clips())
        return try ResultTable("labels", of: instance)
    }

    @Test(
        "of features that do not know the labels they are uniform, though activations differ by speaker and recording",
        arguments: ["phoneme", "language", "room", "speaker"])
    func independent(kind: String) throws {
        let speech = Speech { speaker, clip, _, draws in
            (0..<Self.features).map { feature in
                // A speaker says nothing of the speaker, and a recording nothing of its room.
                var level = 1.5 * Self.effect("recording", Int(clip.recording), feature)
                if kind != "speaker" { level += 1.5 * Self.effect("speaker", speaker, feature) }
                var value: Float = 0
                return (0..<40).map { _ in
                    value = 0.8 * value + 0.5 * draws.noise()
                    return value + level
                }
            }
        }
        let table = try labels(speech, kinds: kind)
        let values = try table.rows.map { try table.number($0, "p_value") }.sorted()
        #expect(values.count == Self.features)
        #expect(values.allSatisfy { $0 >= 1 / Double(Self.draws + 1) && $0 <= 1 })
        // Of 200 uniform ones more than 18 are below 0.05 with a probability of 0.006, more than 6 below 0.01 of 0.004.
        let (few, fewer) = (values.count { $0 <= 0.05 }, values.count { $0 <= 0.01 })
        #expect(few <= 18 && fewer <= 6, "\(few) are at most 0.05, and \(fewer) at most 0.01")
        // Nor are there more small ones than there should be anywhere: Kolmogorov and Smirnov's distance to that side,
        // which 200 uniform ones exceed with a probability of 0.007. Equal precisions make p larger, not smaller.
        let excess = values.enumerated().map { Double($0 + 1) / Double(values.count) - $1 }.max() ?? 1
        #expect(excess < 0.111, "\(excess)")
    }

    @Test("of features that follow a label they are the smallest that so many draws can give")
    func planted() throws {
        let speech = Speech(features: 4) { _, clip, sounds, draws in
            let french: Float = clip.labels["language"] == "fr" ? 3 : 0
            let hall: Float = clip.labels["room"] == "hall" ? 3 : 0
            return [
                sounds.prefix(40).map { ($0 == "s" ? 3 : 0) + draws.noise() },
                (0..<40).map { ($0 >= 4 && sounds[$0 - 4] == "m" ? 3 : 0) + draws.noise() },
                (0..<40).map { _ in french + draws.noise() }, (0..<40).map { _ in hall + draws.noise() },
            ]
        }
        let table = try labels(speech, kinds: "phoneme,language,room", ["lift": "1.25"])
        let planted = [
            (0, "phoneme", "s", 0), (1, "phoneme", "m", 4), (2, "language", "fr", 0), (3, "room", "hall", 0),
        ]
        for (feature, kind, label, lag) in planted {
            let row = try #require(table.rows(where: ["feature": Cell(feature), "kind": Cell(kind)]).first)
            #expect(try table.text(row, "label") == label && table.number(row, "lag") == Double(lag))
            #expect(try table.number(row, "p_value") == 1 / Double(Self.draws + 1), "\(kind)")
        }
    }

    @Test("few speakers prove no language, however many frames they have")
    func fewSpeakers() throws {
        // The first two by hash: one names, and one scores.
        let speech = Speech(speakers: 6, features: 1, isFrench: [0, 1].contains) { _, clip, _, draws in
            [(0..<40).map { _ in (clip.labels["language"] == "fr" ? 3 : 0) + draws.noise() }]
        }
        let table = try labels(speech, kinds: "language", ["lift": "1.25"])
        let row = try #require(table.rows.first)
        #expect(try table.text(row, "label") == "fr" && table.number(row, "precision") == 1)
        // There are as many ways to deal as there are scoring speakers, and one of them is what was found.
        #expect(try table.number(row, "p_value") > 0.15)
        #expect(try labels(speech, kinds: "language", ["lift": "1.25", "significance": "0.01"]).rows.isEmpty)
    }

    @Test("what nearly all frames have is no label, hides no other, and is one where any is asked for")
    func dominated() throws {
        var speech = Speech(features: 2) { _, clip, _, draws in
            // A third of where the first listens is the rare room; the second listens nowhere in particular.
            let hall: Float = clip.labels["room"] == "hall" ? 0.7 : 0
            return [(0..<40).map { _ in hall + draws.noise() }, (0..<40).map { _ in draws.noise() }]
        }
        speech.recordings = 240
        var clips = speech.clips()
        // One recording in twelve is left with its room, and then the others are 92 % of all.
        for number in clips.indices where number % 4 != 0 && clips[number].labels["room"] == "hall" {
            clips[number].labels["room"] = "dry"
            clips[number].tensors[0].values = clips[number].tensors[0].values.enumerated().map {
                $0 % 2 == 0 ? $1 - 0.7 : $1
            }
        }
        func rows(_ lift: String) throws -> (ResultTable, [[Cell]]) {
            let instance = try featuresPlugin(folder).instance([
                "emit": "all", "kinds": "room", "threshold": "0.9", "significance": "1", "lift": lift,
                "sample": "100000",
            ])
            try instance.run(clips)
            let table = try ResultTable("labels", of: instance)
            return (table, table.rows)
        }
        let (any, all) = try rows("0")
        for row in all {
            let (precision, base) = (try any.number(row, "precision"), try any.number(row, "base"))
            #expect(try abs(any.number(row, "lift") - precision / base) < 1e-12)
        }
        #expect(try any.text(#require(any.rows(where: ["feature": 0]).first), "label") == "dry")
        let second = try #require(any.rows(where: ["feature": 1]).first)
        #expect(try any.text(second, "label") == "dry" && any.number(second, "precision") > 0.85)
        #expect(try any.number(second, "base") > 0.85 && any.number(second, "lift") < 1.1)
        let (table, some) = try rows("1.25")
        let first = try #require(table.rows(where: ["feature": 0]).first)
        #expect(try table.text(first, "label") == "hall" && table.number(first, "lift") > 3)
        #expect(try table.number(first, "base") < 0.15)
        #expect(some.allSatisfy { table.cell($0, "label") != "dry" })
        let (_, none) = try rows("1000")
        #expect(none.isEmpty)
    }
}
