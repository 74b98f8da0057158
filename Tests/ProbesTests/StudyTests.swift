import PluginDraws
import Testing

@testable import Probes

@Suite("Probes on planted answers")
struct StudyTests {
    /// Recordings of speakers: `count` of four each, with two classes.
    private func facts(_ count: Int, types: Bool = false) -> [RowFacts] {
        (0..<count).map { row in
            let speaker = "s\(row / 4)"
            return RowFacts(
                recording: UInt64(row), frame: 0, label: row % 2 == 0 ? "a" : "b", speaker: speaker,
                type: "recording \(row)")
        }
    }

    private func noise(_ rows: Int, _ features: Int, seed: UInt64) -> [Double] {
        var draws = SplitMix(seed: seed)
        return (0..<(rows * features)).map { _ in .random(in: -1...1, using: &draws) }
    }

    @Test("a label that is planted linearly in one layer is found there and nowhere else")
    func planted() throws {
        let facts = facts(400)
        let study = try Study(facts: facts, byClass: true, l2: nil, seed: 1)
        #expect(study.split.unit == .speaker)
        var planted = noise(400, 6, seed: 2)
        for row in 0..<400 { planted[row * 6 + 3] += facts[row].label == "a" ? 2 : -2 }
        let found = study.report(hook: "planted", features: FeatureMatrix(features: 6, values: planted))
        #expect(found.test.accuracy == 1 && found.test.macroF1 == 1 && found.test.areaUnderCurve == 1)
        // Each recording is a type of its own, so of the test part's none was learnt.
        #expect(found.converged && !study.controlIsDefined && found.control.accuracy.isNaN && found.selectivity.isNaN)
        #expect(found.control.trainAccuracy < 1)
        for seed in [3, 4] as [UInt64] {
            let other = study.report(
                hook: "noise", features: FeatureMatrix(features: 6, values: noise(400, 6, seed: seed)))
            #expect(other.test.accuracy < 0.75)
            #expect(other.interval.low <= other.test.accuracy && other.test.accuracy <= other.interval.high)
        }
        #expect(abs(study.majority.accuracy - 0.5) < 0.2)
    }

    @Test("three classes are told apart, and the penalty is one of those that are tried")
    func threeClasses() throws {
        let facts = (0..<240).map {
            RowFacts(
                recording: UInt64($0), frame: 0, label: ["x", "y", "z"][$0 % 3], speaker: "s\($0 / 6)", type: "\($0)")
        }
        var values = noise(240, 3, seed: 8)
        for row in 0..<240 { values[row * 3 + row % 3] += 3 }
        let study = try Study(facts: facts, byClass: true, l2: nil, seed: 4)
        let report = study.report(hook: "h", features: FeatureMatrix(features: 3, values: values))
        #expect(report.test.accuracy > 0.9 && report.probe.weight.count == 9)
        #expect(Study.penalties.contains(report.l2))
    }

    @Test(
        "the penalty is the one with the smallest loss of all, and what lies far behind it is not tried",
        arguments: [0, 0.3, 4])
    func path(strength: Double) throws {
        let facts = facts(160)
        var values = noise(160, 12, seed: 9)
        for row in 0..<160 { values[row * 12] += facts[row].label == "a" ? strength : -strength }
        let features = FeatureMatrix(features: 12, values: values)
        let losses = try Study.penalties.map { penalty in
            try Study(facts: facts, byClass: true, l2: penalty, seed: 3).report(hook: "h", features: features)
                .validationLoss
        }
        let least = try #require(losses.indices.min { losses[$0] < losses[$1] })
        var farthest = 0.0
        let chosen = try Study(facts: facts, byClass: true, l2: nil, seed: 3).report(hook: "h", features: features) {
            if $0 < 0.5 { farthest = $0 }
        }
        #expect(chosen.l2 == Study.penalties[least])
        #expect(abs(chosen.validationLoss - losses[least]) < 1e-7)
        // Half of the progress is the label's: each penalty has an equal part of it.
        let tried = min(least + Study.patience + 1, Study.penalties.count)
        #expect(farthest < Double(tried) / Double(Study.penalties.count) / 2)
    }

    @Test("fitting tells how far it is, always farther, and ends where it is told to")
    func progress() throws {
        struct Enough: Error {}
        let study = try Study(facts: facts(120), byClass: true, l2: nil, seed: 1)
        let features = FeatureMatrix(features: 4, values: noise(120, 4, seed: 5))
        var parts: [Double] = []
        _ = study.report(hook: "h", features: features) { parts.append($0) }
        #expect(parts.count > 2 * (1 + Study.patience) && parts.allSatisfy { (0..<1).contains($0) })
        #expect(zip(parts, parts.dropFirst()).allSatisfy { $0 < $1 })
        var steps = 0
        #expect(throws: Enough.self) {
            try study.report(hook: "h", features: features) { _ in
                steps += 1
                if steps == 7 { throw Enough() }
            }
        }
        #expect(steps == 7)
    }

    @Test("features that name the type and nothing else: the control task is learnt as well, and selectivity is 0")
    func memorisation() throws {
        // 12 types with a label each, and a feature for each type: there is nothing but types to learn.
        let types = 12
        let facts = (0..<480).map { row in
            RowFacts(
                recording: UInt64(row), frame: 0, label: row % types < types / 2 ? "a" : "b",
                speaker: "s\(row / types)",
                type: "type \(row % types)")
        }
        var values = [Double](repeating: 0, count: 480 * types)
        for row in 0..<480 { values[row * types + row % types] = 1 }
        let study = try Study(facts: facts, byClass: false, l2: nil, seed: 6)
        let report = study.report(hook: "h", features: FeatureMatrix(features: types, values: values))
        #expect(report.test.accuracy == 1 && report.control.accuracy == 1 && report.selectivity == 0)
        #expect(study.controlIsDefined)
    }

    @Test("the control task is defined where half of the test rows have a type that training saw")
    func controlOfStrangers() throws {
        func study(_ strangers: Int) throws -> Study {
            let facts = (0..<400).map { row in
                RowFacts(
                    recording: UInt64(row), frame: 0, label: row % 2 == 0 ? "a" : "b", speaker: "s\(row / 4)",
                    type: row % 10 < strangers ? "recording \(row)" : "common")
            }
            return try Study(facts: facts, byClass: true, l2: 1, seed: 1)
        }
        #expect(try study(2).controlIsDefined && !study(8).controlIsDefined)
    }

    @Test("a type has one control label, and labels come in the training distribution's shares")
    func controlLabels() {
        let shares = [0.2, 0.8]
        let labels = (0..<4000).map { Study.controlLabel("t\($0)", shares, seed: 3) }
        #expect(labels == (0..<4000).map { Study.controlLabel("t\($0)", shares, seed: 3) })
        #expect(abs(Double(labels.count { $0 == 1 }) / 4000 - 0.8) < 0.05)
        #expect(Study.controlLabel("t", [1, 0], seed: 0) == 0)
    }

    @Test("the majority baseline is the most frequent training class on the test part")
    func majority() throws {
        let facts = (0..<90).map {
            RowFacts(
                recording: UInt64($0), frame: 0, label: $0 % 3 == 0 ? "rare" : "common", speaker: "", type: "\($0)")
        }
        let study = try Study(facts: facts, byClass: true, l2: 1, seed: 0)
        #expect(study.majority.label == "common" && abs(study.majority.accuracy - 2.0 / 3) < 1e-12)
    }

    @Test("twice the same is the same to the bit")
    func determinism() throws {
        let features = FeatureMatrix(features: 5, values: noise(120, 5, seed: 11))
        let reports = try (0..<2).map { _ in
            try Study(facts: facts(120), byClass: true, l2: nil, seed: 2).report(hook: "h", features: features)
        }
        #expect(reports[0].probe == reports[1].probe && reports[0].test == reports[1].test)
    }

    @Test("one class, or nothing, is refused in words")
    func refused() {
        #expect(throws: StudyError.self) { try Study(facts: [], byClass: true, l2: nil, seed: 0) }
        let same = (0..<9).map { RowFacts(recording: UInt64($0), frame: 0, label: "a", speaker: "", type: "") }
        #expect { try Study(facts: same, byClass: true, l2: nil, seed: 0) } throws: {
            String(describing: $0).contains("only the class 'a'")
        }
        let few = ["a", "b"].enumerated().map {
            RowFacts(recording: UInt64($0.offset), frame: 0, label: $0.element, speaker: "", type: "")
        }
        #expect { try Study(facts: few, byClass: true, l2: nil, seed: 0) } throws: {
            String(describing: $0).contains("no row is left to test with")
        }
    }
}
