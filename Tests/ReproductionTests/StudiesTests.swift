import DataSets
import Foundation
import Messages
import Results
import TestSupport
import Testing

@testable import Client
@testable import Reproduction

@Suite("Studies of planted numbers") struct StudiesTests {
    // MARK: Attention

    @Test("local heads are counted, and words that a window changes, over recordings that are longer than 75 frames")
    func attention() async throws {
        let (long, short) = (PlantedEvidence.sample("long") { $0.text = "a b c d" }, PlantedEvidence.sample("short"))
        var evidence = PlantedEvidence.evidence([long, short])
        evidence.results["heads"] = PlantedEvidence.run([
            (
                "heads", ["layer", "head", "class"],
                [
                    [.number(0), .number(0), .text("local")], [.number(0), .number(1), .text("global")],
                    [.number(1), .number(0), .text("positional")], [.number(1), .number(1), .text("sink")],
                ]
            )
        ])
        evidence.transcriptions["windows"] = [1500, 100, 75, 50, 20, 10].flatMap { window in
            let condition = Condition(name: "±\(window)", interventions: [])
            return [
                PlantedEvidence.transcription(long, condition, "a b c d", window > 75 ? "a b c d" : "a b x d"),
                // One and a half seconds are 75 frames, from which that window hides nothing.
                PlantedEvidence.transcription(short, condition, "a b", "x y", seconds: 1.5),
            ]
        }
        let findings = try await Section.attention.study(evidence)
        #expect(findings.value("local-heads") == 0.5)
        #expect(findings.count("local-heads") == 4)
        #expect(findings.value("window-100") == 0)
        #expect(findings.value("window-75") == 0.25)
        #expect(findings.count("window-75") == 1)
        #expect(findings.sentence.hasPrefix("2 of 4 heads are local."))
    }

    @Test("without a recording that is long enough, the window's number is missing, with the reason")
    func attentionOfNothing() async throws {
        var evidence = PlantedEvidence.evidence([PlantedEvidence.sample("a")])
        evidence.results["heads"] = PlantedEvidence.run([("heads", ["class"], [[.text("local")]])])
        let findings = try await Section.attention.study(evidence)
        let measure = try #require(findings.measures.first { $0.id == "window-75" })
        #expect(measure.missing?.contains("longer than 75 frames") == true)
    }

    // MARK: Rollout

    private static let windows = ["window", "frames", "distance (s)", "within 1", "within 10", "ahead", "padding"]

    private func window(_ frames: Double, _ near: Double) -> [ComputedResults.Cell?] {
        [1, frames, 0.5, 0.1, near, 0.5, 0.01].map { .number($0) }
    }

    @Test("what frames rest on is counted beyond what lies there by itself, over frames of speech alone")
    func rollout() async throws {
        let silent = PlantedEvidence.sample("rain") { $0.labels = [.init(column: "kind", value: "nonspeech")] }
        let foreign = PlantedEvidence.sample("other") { $0.language = "fr" }
        var evidence = PlantedEvidence.evidence(
            [PlantedEvidence.sample("a"), PlantedEvidence.sample("b"), silent, foreign], languages: [])
        evidence.results["post"] = try PlantedEvidence.run(
            "windows",
            of: [
                // Of two windows one has no objective.
                (
                    "a",
                    [window(300, 0.6), [.number(2), .number(0)] + [ComputedResults.Cell?](repeating: nil, count: 5)]
                ),
                ("b", [window(100, 0.2)]), ("rain", [window(500, 1)]), ("other", [window(500, 1)]),
            ], columns: Self.windows)
        evidence.results["transcript"] = try PlantedEvidence.run(
            "windows", of: [("a", [window(300, 1)])], columns: Self.windows)
        let findings = try await Section.rollout.study(evidence)
        // Of n frames, n (2 k + 1) − k (k + 1) pairs are within k.
        func even(_ n: Double) -> Double { (21 * n - 110) / (n * n) }
        let evenly: Double = (300 * even(300) + 100 * even(100)) / 400
        let post = try #require(findings.value("post"))
        #expect(abs(post - (0.5 - evenly) / (1 - evenly)) < 1e-12)
        #expect(findings.count("post") == 400)
        #expect(findings.value("transcript") == 1)
        #expect(findings.count("transcript") == 300)
        #expect(findings.sentence.hasPrefix("Over 400 frames of 2 recordings"))
        // All pairs of so few frames are near.
        #expect(RolloutStudy.Sums.evenShare(within: 10, of: 11) == 1)
        #expect(RolloutStudy.Sums.evenShare(within: 0, of: 4) == 0.25)
    }

    @Test("without the post's objective nothing is said, and without the other the claim can be judged")
    func rolloutOfNothing() async throws {
        var evidence = PlantedEvidence.evidence([PlantedEvidence.sample("a")])
        evidence.unsuitable["post"] = "the plugin 'rollout' is not installed here"
        await #expect(throws: Unsuitable.self) { try await Section.rollout.study(evidence) }
        evidence.unsuitable = [:]
        evidence.results["post"] = try PlantedEvidence.run(
            "windows", of: [("a", [window(1000, 0.9)])], columns: Self.windows)
        let findings = try await Section.rollout.study(evidence)
        #expect(findings.measures.first { $0.id == "transcript" }?.missing != nil)
        let outcomes = Section.rollout.criteria.map { criterion in
            criterion.judge(findings.measures.first { $0.id == criterion.measure })
        }
        #expect(Verdict(of: outcomes) == .holds)
    }

    @Test("a part hears a part of the samples: some of them, spread evenly, or one in which somebody speaks")
    func extents() {
        let samples = (0..<100).map { number in
            PlantedEvidence.sample("s\(number)") { item in
                item.index = number
                if number < 3 { item.text = "" }
            }
        }
        let situation = PlantedEvidence.evidence(samples).situation
        #expect(situation.shard(.all) == nil)
        // 40 recordings at most.
        #expect(situation.shard(.some) == V1.Shard(index: 0, count: 3))
        #expect(situation.shard(.one) == V1.Shard(index: 3, count: 100))
        let few = PlantedEvidence.evidence(Array(samples.prefix(1))).situation
        #expect(few.shard(.some) == nil && few.shard(.one) == nil)
    }

    // MARK: Words

    private var timed: Sample {
        PlantedEvidence.sample("timed") { item in
            item.words = ["one", "two", "three", "four"].enumerated().map {
                TimedLabel(start: Double($0.offset) * 0.5, end: Double($0.offset) * 0.5 + 0.5, label: $0.element)
            }
        }
    }

    @Test("cuts are of whole frames: the first second, half a second of longer recordings, and a word in the middle")
    func cuts() {
        let conditions = WordCuts.conditions(
            timed, WrittenText(text: "one two three four", language: "en", seconds: 5))
        #expect(
            conditions.map(\.interventions) == [
                ["encoder.ln_post substitute-padding 0:50"], ["encoder.ln_post substitute-padding 150:175"],
                ["encoder.ln_post substitute-padding 25:50"],
            ])
        #expect(WordCuts.conditions(timed, WrittenText(text: "", language: "en", seconds: 1)).isEmpty)
    }

    @Test(
        "a word counts as cut where more than half of it lies in the cut, and as gone where it is not written any more")
    func words() async throws {
        var evidence = PlantedEvidence.evidence([timed])
        let condition = Condition(name: "first second", interventions: [], span: 0..<0.76)
        evidence.transcriptions["cuts"] = [
            // one and half of two are cut; two stays, three goes.
            PlantedEvidence.transcription(timed, condition, "one two three four", "two four")
        ]
        let findings = try await Section.words.study(evidence)
        #expect(findings.value("gone") == 0.5)
        #expect(findings.count("gone") == 2)
        #expect(findings.value("stay") == 0.5)
    }

    // MARK: Bigrams

    @Test("a pair is a hit where its second word is among the most probable, and other prompts' lists are the baseline")
    func bigrams() async throws {
        let texts = [PlantedEvidence.sample("a") { $0.text = "red car red car blue sky" }]
        let ids: [String: Int32] = [" car": 1, " sky": 2, " red": 3, " blue": 4]
        var evidence = PlantedEvidence.evidence(texts) { ids[$0] ?? 9 }
        func row(_ prompt: String, _ token: Int, _ probability: Double) -> [ComputedResults.Cell?] {
            [.text(prompt), .number(Double(token)), .text("t\(token)"), .number(probability)]
        }
        evidence.results["next"] = PlantedEvidence.run([
            (
                "next", ["prompt", "token", "text", "probability"],
                [row("red", 1, 0.9), row("car", 7, 0.5), row("car", 3, 0.4), row("blue", 8, 0.9)]
            )
        ])
        let findings = try await Section.bigrams.study(evidence)
        // red car, car red, red car, car blue, blue sky: the first three are expected, two of them first of all.
        #expect(findings.count("hits") == 5)
        #expect(findings.value("hits") == 0.6)
        #expect(findings.value("first") == 0.4)
        // No other prompt's list has any of them.
        #expect(findings.value("gain") == 0.6)
    }

    @Test("what follows no more often than in the lists of other prompts is no knowledge of pairs")
    func bigramsOfFrequentWords() async throws {
        let texts = [PlantedEvidence.sample("a") { $0.text = "red car blue car green car" }]
        let ids: [String: Int32] = [" car": 1, " blue": 2, " green": 3]
        var evidence = PlantedEvidence.evidence(texts) { ids[$0] ?? 9 }
        evidence.results["next"] = PlantedEvidence.run([
            (
                "next", ["prompt", "token", "text", "probability"],
                ["red", "blue", "green", "car"].map { [.text($0), .number(1), .text(" car"), .number(0.9)] }
            )
        ])
        let findings = try await Section.bigrams.study(evidence)
        #expect(findings.value("hits") == 0.6)
        #expect(findings.value("gain") == 0)
    }

    @Test("a language that the model does not know gives neither pairs nor prompts")
    func bigramsOfAnotherLanguage() async throws {
        let texts = [
            PlantedEvidence.sample("a") { ($0.text, $0.language) = ("le chat noir et le chien", "fr") },
            PlantedEvidence.sample("b") { ($0.text, $0.language) = ("le lapin", "fr") },
            PlantedEvidence.sample("c") { ($0.text, $0.language) = ("red car", "en") },
        ]
        let prompts = try await Bigrams.arguments(PlantedEvidence.evidence(texts, languages: []).situation)
        #expect(prompts.first { $0.key == "prompt" }?.value.hasPrefix("red|very|traffic|good|peanut") == true)
        // An English-only model has no token of a language.
        #expect(prompts.first { $0.key == "language" }?.value == "")
        let french = PlantedEvidence.evidence(Array(texts.prefix(2)), languages: [])
        await #expect(throws: Unsuitable.self) { try await Bigrams.arguments(french.situation) }
        let both = try await Bigrams.arguments(PlantedEvidence.evidence(texts, languages: ["en", "fr"]).situation)
        #expect(both.first { $0.key == "language" }?.value == "fr")
    }

    @Test("recordings in a language that the model does not know are not transcribed, and it is told")
    func foreign() {
        let samples = [
            PlantedEvidence.sample("a") { $0.language = "fr-BE" }, PlantedEvidence.sample("b") { $0.language = "en" },
            PlantedEvidence.sample("c"),
        ]
        let english = PlantedEvidence.evidence(samples, languages: []).situation
        #expect(english.spoken.map(\.name) == ["b", "c"])
        let remark = english.samples.remark(onForeign: english.foreign, english.model)
        #expect(remark?.hasPrefix("1 of 3 recordings are in a language (fr-BE)") == true)
        let both = PlantedEvidence.evidence(samples, languages: ["en", "fr"]).situation
        #expect(both.spoken.count == 3)
        #expect(both.samples.remark(onForeign: both.foreign, both.model) == nil)
    }

    // MARK: Features

    private func features(_ count: Int, hook: String, _ more: [(String, [String], [[ComputedResults.Cell?]])])
        -> RunResults
    {
        let all = ["features", "recordings", "examples", "labels", "sounds", "bins", "bin_sounds", "bin_examples"]
        var tables = more.map { (id: $0.0, columns: $0.1, rows: $0.2) }
        tables.append(
            (
                "features", ["hook", "feature"],
                (0..<count).map { [.text(hook), .number(Double($0))] }
            ))
        for id in all where !tables.contains(where: { $0.id == id }) { tables.append((id, ["recording"], [])) }
        return PlantedEvidence.run(tables)
    }

    @Test("neurons whose label meets all thresholds are selective")
    func neurons() async throws {
        var evidence = PlantedEvidence.evidence(PlantedEvidence.spoken(20))
        let rows: [(feature: Int, scores: [Double])] = [
            // At the first, AUC is that of a neuron which is silent at most of its sound.
            (0, [0.5, 0.3, 1.25]), (60, [0.8, 0.9, 9]), (2, [0.49, 0.9, 9]), (3, [0.9, 0.9, 1.2]),
        ]
        evidence.results["scan"] = features(
            100, hook: "encoder.blocks.2.mlp.1",
            [
                (
                    "labels", ["feature", "side", "kind", "label", "precision_at_recall", "auc", "lift"],
                    rows.map {
                        [.number(Double($0.feature)), .text("+"), .text("phoneme"), .text("s")]
                            + $0.scores.map { .number($0) }
                    }
                )
            ])
        let findings = try await Section.neurons.study(evidence)
        #expect(findings.value("first") == 1.0 / 50)
        #expect(findings.value("all") == 2.0 / 100)
    }

    @Test(
        "of recordings without known sounds, or of few, no label is scored: that is no sign against the claim",
        arguments: [0, 1, 19])
    func neuronsUnlabelled(known: Int) async throws {
        var evidence = PlantedEvidence.evidence(PlantedEvidence.spoken(known) + [PlantedEvidence.sample("other")])
        evidence.results["scan"] = features(30, hook: "encoder.blocks.2.mlp.1", [])
        let findings = try await Section.neurons.study(evidence)
        let outcomes = Section.neurons.criteria.map { criterion in
            criterion.judge(findings.measures.first { $0.id == criterion.measure })
        }
        #expect(Verdict(of: outcomes).name == "cannot_be_said")
    }

    @Test("a neuron is polysemantic where another sound leads a lower range")
    func ranges() async throws {
        var evidence = PlantedEvidence.evidence(PlantedEvidence.spoken(20))
        /// Sounds by range of three neurons: s at the top of all, sh below in the first alone. The last one's loudest
        /// moment is one k, which says nothing.
        let sounds: [(feature: Int, bin: Int, label: String, count: Double)] = [
            (0, 9, "s", 20), (0, 5, "sh", 30), (0, 5, "s", 10), (0, 1, "m", 90),
            (1, 9, "s", 20), (1, 5, "s", 40), (1, 4, "sh", 20),
            (2, 9, "k", 6), (2, 8, "s", 30), (2, 5, "s", 30), (2, 4, "sh", 19),
        ]
        let counts: [(feature: Int, bin: Int, count: Double)] = [
            // Of the second one's lowest frames most are of no known sound, so that nothing leads them.
            (0, 9, 20), (0, 5, 40), (0, 1, 90), (1, 9, 20), (1, 5, 40), (1, 4, 100),
            (2, 9, 6), (2, 8, 30), (2, 5, 30), (2, 4, 19),
        ]
        evidence.results["scan"] = features(
            2, hook: "h",
            [
                (
                    "bins", ["feature", "side", "kind", "bin", "low", "high", "count"],
                    counts.map {
                        [
                            .number(Double($0.feature)), .text("+"), .text("width"), .number(Double($0.bin)),
                            .number(Double($0.bin)), .number(Double($0.bin + 1)), .number($0.count),
                        ]
                    }
                ),
                (
                    "bin_sounds", ["feature", "side", "bin", "label", "count"],
                    sounds.map {
                        [
                            .number(Double($0.feature)), .text("+"), .number(Double($0.bin)), .text($0.label),
                            .number($0.count),
                        ]
                    }
                ),
            ])
        let findings = try await Section.ranges.study(evidence)
        #expect(findings.count("polysemantic") == 3)
        #expect(try #require(findings.value("polysemantic")) == 1.0 / 3)
    }

    /// The tokens of texts as a scan's table of sounds has them, each at its position.
    private func tokenRows(_ texts: [[String]]) -> [[ComputedResults.Cell?]] {
        texts.enumerated().flatMap { recording, tokens in
            tokens.enumerated().map { place, token in
                [
                    .number(Double(recording)), .text("token"), .number(Double(place)), .number(Double(place + 1)),
                    .text(token),
                ]
            }
        }
    }

    @Test("a neuron of the decoder answers to a token where three of its five best texts have it; a text counts once")
    func decoderNeurons() async throws {
        let samples = (0..<23).map { number in
            PlantedEvidence.sample("r\(number)") { item in
                if number == 6 { item.labels = [.init(column: "kind", value: "nonspeech")] }
            }
        }
        var evidence = PlantedEvidence.evidence(samples)
        let start = "<|startoftranscript|>"
        let first = [("a", "x"), ("a", "y"), ("a", "z"), ("b", "u"), ("c", "v"), ("a", "x"), ("a", "w")]
        // Sixteen more texts of a token each.
        let texts = first.map { [start, $0.0, $0.1] } + (0..<16).map { [start, "t\($0)"] }
        func examples(_ feature: Int, _ order: [Int], _ position: Int) -> [[ComputedResults.Cell?]] {
            order.map {
                [
                    .number(Double(feature)), .text("+"), .number(Double($0)), .number(Double(position)), .number(1),
                ]
            }
        }
        evidence.results["scan"] = features(
            3, hook: "decoder.blocks.0.mlp.1",
            [
                ("recordings", ["recording", "name"], (0..<23).map { [.number(Double($0)), .text("r\($0)")] }),
                (
                    "examples", ["feature", "side", "recording", "frame", "value"],
                    // The first answers to a; the second is at other tokens; the third only at a start token. The
                    // sixth text is the first again, and the seventh recording holds no speech.
                    examples(0, [5, 6, 0, 1, 2, 3, 4], 1) + examples(1, [0, 1, 2, 3, 4], 2) + examples(2, [0, 1, 2], 0)
                ),
                ("sounds", ["recording", "kind", "start", "end", "label"], tokenRows(texts)),
            ])
        let findings = try await Section.decoderNeurons.study(evidence)
        #expect(findings.count("tokens") == 2)
        #expect(findings.value("tokens") == 0.5)
        // Of the 28 tokens of the 22 spoken recordings four are a, two x, and 22 others come once.
        // Each of five draws is the token or is not.
        func three(_ p: Double) -> Double {
            var sum = 0.0
            for outcome in 0..<32 where outcome.nonzeroBitCount >= 3 {
                var product = 1.0
                for draw in 0..<5 { product *= outcome >> draw & 1 == 1 ? p : 1 - p }
                sum += product
            }
            return sum
        }
        let chance: Double = three(4.0 / 28) + three(2.0 / 28) + 22 * three(1.0 / 28)
        let gain = try #require(findings.value("gain"))
        #expect(abs(gain - (0.5 - chance)) < 1e-12)
    }

    @Test("a passage counts once, by itself and within a longer recording")
    func decoderNeuronsOfOnePassage() async throws {
        let start = "<|startoftranscript|>"
        // The token at each neuron's largest value is the last one but in the first two, which have the same words.
        let first = [
            [start, "q", "w", "e", "a", "r"], [start, "z", "q", "w", "E", "a", "r"], [start, "b", "a"],
            [start, "b", "c"], [start, "b", "d"], [start, "b", "f"],
        ]
        let texts = first + (0..<20).map { [start, "t\($0)"] }
        var evidence = PlantedEvidence.evidence(texts.indices.map { PlantedEvidence.sample("r\($0)") })
        let places = [4, 5, 2, 2, 2, 2]
        evidence.results["scan"] = features(
            1, hook: "decoder.blocks.0.mlp.1",
            [
                ("recordings", ["recording", "name"], texts.indices.map { [.number(Double($0)), .text("r\($0)")] }),
                (
                    "examples", ["feature", "side", "recording", "frame", "value"],
                    places.enumerated().map {
                        [.number(0), .text("+"), .number(Double($0)), .number(Double($1)), .number(1)]
                    }
                ),
                ("sounds", ["recording", "kind", "start", "end", "label"], tokenRows(texts)),
            ])
        let findings = try await Section.decoderNeurons.study(evidence)
        #expect(findings.count("tokens") == 1)
        #expect(findings.value("tokens") == 0)
    }

    @Test("a dictionary is judged by recordings that were kept from it, and by the latents that are active")
    func dictionary() async throws {
        var evidence = PlantedEvidence.evidence(PlantedEvidence.spoken(20))
        evidence.results["train"] = PlantedEvidence.run([
            (
                "summary", ["of", "positions", "explained_variance"],
                [
                    [.text("last buffer"), .number(9), .number(0.9)],
                    [.text("kept recordings"), .number(600), .number(0.8)],
                ]
            )
        ])
        evidence.results["latents"] = features(
            4, hook: "encoder.blocks.2",
            [
                ("recordings", ["recording", "name"], [[.number(0), .text("s0")]]),
                (
                    "examples", ["feature", "side", "recording", "frame", "value"],
                    [0, 1].map { [.number($0), .text("+"), .number(0), .number(5), .number(1)] }
                ),
                (
                    "labels", ["feature", "side", "kind", "label", "precision_at_recall", "auc", "lift"],
                    [[.number(1), .text("+"), .text("phoneme"), .text("s"), .number(0.9), .number(0.9), .number(9)]]
                ),
            ])
        let findings = try await Section.dictionary.study(evidence)
        #expect(findings.value("explained") == 0.8)
        #expect(findings.count("explained") == 600)
        #expect(findings.value("selective") == 0.5)
        // What is pressed is a second around the frame, which is brought out.
        let sounds = findings.listening.flatMap(\.sounds)
        #expect(sounds.contains(SoundRequest(sample: "s0", start: 0, end: 0.61, moment: 5)))
    }

    @Test("recordings of which nothing is known train a dictionary like others")
    func dictionaryOfNothing() throws {
        for sample in [PlantedEvidence.sample("a") { $0.text = "a" }, PlantedEvidence.sample("a")] {
            let situation = PlantedEvidence.evidence([sample]).situation
            #expect(try DictionaryStudy.training(situation).contains { $0 == ("hook", "encoder.blocks.0") })
        }
    }

    // MARK: Speakers

    @Test("columns are scored with speakers that they were not found with, blocks by all of their columns")
    func speakers() async throws {
        let samples = (0..<12).map { number in
            PlantedEvidence.sample("s\(number)") { $0.speaker = "speaker \(number / 2)" }
        }
        var evidence = PlantedEvidence.evidence(samples)
        #expect(try SpeakerStudy.arguments(evidence.situation).contains { $0 == ("splices", "20") })
        evidence.results["jumps"] = PlantedEvidence.run([
            (
                "hooks", ["hook", "columns", "pairs", "auc", "p"],
                [
                    [.text("encoder.blocks.0"), .number(4), .number(12), .number(0.9), .number(0.01)],
                    [.text("encoder.blocks.1"), .number(4), .number(12), .number(0.7), .number(0.01)],
                    [.text("encoder.blocks.2"), .number(4), .number(12), .number(.nan), .number(.nan)],
                ]
            ),
            (
                "jumps", ["hook", "column", "auc_found", "auc_scored", "p"],
                [
                    [.text("encoder.blocks.0"), .number(1), .number(1), .number(0.6), .number(0.5)],
                    [.text("encoder.blocks.0"), .number(2), .number(1), .number(0.4), .number(0.5)],
                    [.text("encoder.blocks.0"), .number(3), .number(1), .number(.nan), .number(0.5)],
                ]
            ),
        ])
        let findings = try await Section.speakers.study(evidence)
        let columns = try #require(findings.value("columns")), together = try #require(findings.value("together"))
        #expect(abs(columns - 0.5) < 1e-12 && abs(together - 0.8) < 1e-12)
        #expect(findings.count("columns") == 12)
        // One speaker has nobody to change with.
        let alone = PlantedEvidence.evidence(Array(samples.prefix(2))).situation
        #expect(throws: Unsuitable.self) { try SpeakerStudy.arguments(alone) }
    }

    // MARK: Kept results

    @Test("kept results come back whole under their key; cut off, of another key or of another format they are none")
    func kept() throws {
        let folder = try TemporaryFolder()
        var run = PlantedEvidence.run([("t", ["a"], [[.text("x")], [nil], [.number(.nan)]])])
        run.end = V1.PluginEnd(recordings: 3)
        run.skipped = [V1.SkippedRecording(file: "f", reason: "r")]
        let path = folder("kept")
        try KeptResults(key: "k", run: run, seconds: 1.5).write(to: path)
        let kept = try #require(KeptResults(at: path, key: "k"))
        #expect(kept.seconds == 1.5)
        #expect(kept.run.results.count == 1 && kept.run.skipped == run.skipped && kept.run.end == run.end)
        #expect(kept.run.description == run.description)
        #expect(KeptResults(at: path, key: "other") == nil)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        for count in 0..<bytes.count {
            try folder.write(bytes.prefix(count), to: "cut")
            #expect(KeptResults(at: folder("cut"), key: "k") == nil)
        }
        try folder.write(Array("auscult-kept/1 k 1.5\n".utf8) + [255, 255, 255, 255, 1], to: "cut")
        #expect(KeptResults(at: folder("cut"), key: "k") == nil)
    }

    @Test("what the plugin did not give is no crash but a reason")
    func nothing() async throws {
        var evidence = PlantedEvidence.evidence([PlantedEvidence.sample("a")])
        evidence.unsuitable["scan"] = "the plugin 'features' is not installed here"
        await #expect(throws: Unsuitable.self) { try await Section.neurons.study(evidence) }
        await #expect(throws: Unsuitable.self) { try await Section.bigrams.study(evidence) }
    }
}
