import PluginDraws
import PluginKit
import TestHost
import TestSupport
import Testing

@Suite("Features with planted answers")
struct PlantedTests {
    /// Feature 0 hears "s". Feature 1 hears "a" loudly and "t" half as loudly. Feature 2 hears "m", three frames late.
    /// The others hear nothing.
    private static let speech = MadeUpSpeech(features: 40, speakers: 8) { heard, draws in
        let noise = (0..<40).map { _ in draws.noise() * 0.3 }
        var values = noise
        values[0] += heard[0] == "s" ? 2 : 0
        values[1] += heard[0] == "a" ? 2 : heard[0] == "t" ? 1 : 0
        values[2] += heard.count > 3 && heard[3] == "m" ? 2 : 0
        return values
    }

    private let instance: TestInstance
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        instance = try featuresPlugin(folder).instance([
            "emit": "all", "threshold": "0.9", "show": "1", "sample": "100000",
        ])
        try instance.run((0..<60).map { Self.speech.clip($0) })
    }

    private func labels(_ kind: String) throws -> (table: ResultTable, rows: [[Cell]]) {
        let table = try ResultTable("labels", of: instance)
        return (table, table.rows(where: ["kind": Cell(kind)]))
    }

    private func found(_ feature: Int, _ rows: [[Cell]], _ table: ResultTable) -> [Cell]? {
        rows.first { table.cell($0, "feature") == Cell(feature) }
    }

    @Test("a neuron that hears one sound is named after it, on speakers that did not name it")
    func oneSound() throws {
        let (table, rows) = try labels("phoneme")
        let row = try #require(found(0, rows, table))
        #expect(try table.text(row, "label") == "s" && table.number(row, "lag") == 0)
        #expect(try table.number(row, "precision") == 1 && table.number(row, "auc") > 0.999)
        #expect(try table.number(row, "p_value") < 0.01 && table.number(row, "selectivity") == 1)
    }

    @Test("ARPAbet's digits of stress make no other sound of one")
    func stress() throws {
        let sounds = ["AY", "AY0", "AY1", "S", "T", "ay1"]
        let speech = MadeUpSpeech(sounds: sounds, features: 4, speakers: 8) { heard, draws in
            let noise = (0..<4).map { _ in draws.noise() * 0.3 }
            return [noise[0] + (heard[0].hasPrefix("AY") ? 2 : 0)] + noise.dropFirst()
        }
        let instance = try featuresPlugin(folder).instance(["emit": "all", "threshold": "0.9", "sample": "100000"])
        try instance.run((0..<60).map { speech.clip($0) })
        let table = try ResultTable("labels", of: instance)
        let row = try #require(found(0, table.rows(where: ["kind": Cell("phoneme")]), table))
        #expect(try table.text(row, "label") == "AY" && table.number(row, "auc") > 0.999)
        let heard = try ResultTable("sounds", of: instance)
        let names = try Set(heard.rows(where: ["kind": Cell("phoneme")]).map { try heard.text($0, "label") })
        #expect(names == ["AY", "S", "T", "ay1"])
    }

    @Test("a lag is found")
    func lag() throws {
        let (table, rows) = try labels("phoneme")
        let row = try #require(found(2, rows, table))
        #expect(try table.text(row, "label") == "m" && table.number(row, "lag") == 3)
        #expect(try table.number(row, "precision") > 0.99)
    }

    @Test("neurons that hear nothing get no label, but for the share that the significance allows")
    func nothing() throws {
        let (table, rows) = try labels("phoneme")
        let strays = rows.filter { (try? table.number($0, "feature")).map { $0 > 2 } ?? false }
        // 37 features at 0.01: more than two has a probability of about 0.006, and the draws are fixed.
        #expect(strays.count <= 2)
        for kind in ["word", "token"] { #expect(try labels(kind).rows.isEmpty) }
        let selective = try ResultTable("selective", of: instance)
        #expect(try selective.number(selective.rows[0], "selective") == 3)
        #expect(try selective.number(selective.rows[0], "share") == 3.0 / 40)
    }

    @Test("what hears two sounds shows both, each in its range")
    func twoSounds() throws {
        let bins = try ResultTable("bins", of: instance)
        let sounds = try ResultTable("bin_sounds", of: instance)
        let wide = bins.rows(where: ["feature": 1, "kind": "width"])
        func sound(at value: Double) throws -> String {
            let row = try #require(
                wide.first { row in
                    (try? bins.number(row, "low") <= value && value < bins.number(row, "high")) ?? false
                })
            let bin = try bins.number(row, "bin")
            return try sounds.text(
                #require(sounds.rows(where: ["feature": 1, "bin": .number(bin)]).first), "label")
        }
        #expect(try sound(at: 2) == "a")
        #expect(try sound(at: 1) == "t")
        guard case .array(let values, let shape)? = instance.results.first(where: { $0.output == "ranges" })?.value
        else {
            throw TestFailure("there is no plot of the ranges")
        }
        let axes = try #require(instance.results.first { $0.output == "ranges" }?.axes)
        let place = try #require(axes[1].labels.firstIndex(of: "a"))
        // The highest range first: all of it is "a".
        #expect(values[place] == 1 && shape == [axes[0].labels.count, axes[1].labels.count])
    }

    @Test("a sample gives nearly what all frames give")
    func sampled() throws {
        let other = try featuresPlugin(folder).instance(["emit": "all", "threshold": "0.9", "sample": "1500"])
        try other.run((0..<60).map { Self.speech.clip($0) })
        let (all, some) = (try labels("phoneme"), try ResultTable("labels", of: other))
        for feature in 0..<3 {
            let a = try #require(found(feature, all.rows, all.table))
            let b = try #require(some.rows(where: ["feature": Cell(feature), "kind": "phoneme"]).first)
            #expect(
                all.table.cell(a, "label") == some.cell(b, "label") && all.table.cell(a, "lag") == some.cell(b, "lag"))
            #expect(try abs(all.table.number(a, "precision") - some.number(b, "precision")) < 0.1)
            #expect(try abs(all.table.number(a, "auc") - some.number(b, "auc")) < 0.03)
        }
    }

    @Test(
        "a column that goes with a feature is found, and with no speaker on both splits but for the speaker's own label"
    )
    func column() throws {
        let speech = MadeUpSpeech(features: 2, speakers: 6) { _, draws in [draws.noise(), draws.noise()] }
        let other = try featuresPlugin(folder).instance([
            "emit": "all", "kinds": "language,speaker", "threshold": "0.9",
        ])
        try other.activate()
        for recording in 0..<90 {
            var clip = speech.clip(recording, frames: 40)
            for frame in 0..<40 where clip.labels["language"] == "fr" { clip.tensors[0].values[frame * 2] += 3 }
            for frame in 0..<40 where clip.labels["speaker"] == "s2" { clip.tensors[0].values[frame * 2 + 1] += 3 }
            try other.process(clip)
        }
        try other.finish()
        let table = try ResultTable("labels", of: other)
        let language = try #require(table.rows(where: ["feature": 0, "kind": "language"]).first)
        #expect(try table.text(language, "label") == "fr" && table.number(language, "precision") == 1)
        let speaker = try #require(table.rows(where: ["feature": 1, "kind": "speaker"]).first)
        #expect(try table.text(speaker, "label") == "s2" && table.number(speaker, "precision") == 1)
        let recordings = try ResultTable("recordings", of: other)
        var parts: [String: Set<String>] = [:]
        for row in recordings.rows {
            parts[try recordings.text(row, "speaker"), default: []].insert(try recordings.text(row, "split"))
        }
        #expect(parts.count == 6 && parts.values.allSatisfy { $0.count == 1 })
        #expect(Set(parts.values.joined()) == ["name", "score"])
    }
}
