import PluginDraws
import PluginKit
import TestHost
import TestSupport
import Testing

/// What decides how a feature is judged: features of which one knows what they say. Sparse ones are as GELU makes them:
/// where they do not fire they are a little below zero, in an order that means nothing.
@Suite("Sparse and dense features") struct SparseFeatureTests {
    private static let sounds = ["a", "b", "d", "e", "g", "i", "k", "m", "n", "o", "s", "t"]

    /// 0 says "s", one time in six, and is silent otherwise, the more so the nearer a sound is to "s".
    /// 1 says "s" each time, graded.
    /// 2 says "s" one time in ten, and "t", "k" and "d" as often.
    /// 3 fires as rarely as 0, at anything.
    /// 4 leans towards "s": each time, and less than its noise.
    /// 5 says "s", "t" and "k" alike.
    /// 6 never fires: it is below zero, and nearest to it at "m", where what goes into GELU is smallest.
    private static let speech: MadeUpSpeech = {
        var speech = MadeUpSpeech(features: 7, speakers: 8) { heard, draws in
            let noise = (0..<6).map { _ in (draws.noise() + draws.noise() + draws.noise()) }
            func chance(_ share: Float) -> Bool { (draws.noise() + 1) / 2 < share }
            let isS = heard[0] == "s", isStop = ["t", "k"].contains(heard[0])
            let silence = -0.1 - 0.02 * abs(noise[0])
            return [
                isS && chance(1 / 6) ? 2 + abs(noise[0]) : isS ? silence - 0.05 : silence,
                noise[1] + (isS ? 4 : 0),
                (isS || isStop || heard[0] == "d") && chance(0.1) ? 2 + abs(noise[2]) : -0.1 * abs(noise[2]),
                chance(1 / 72) ? 2 + abs(noise[3]) : -0.1 * abs(noise[3]),
                noise[4] + (isS ? 0.5 : 0),
                noise[5] + (isS || isStop ? 4 : 0),
                heard[0] == "m" ? -0.001 * (1 + abs(noise[0])) : -0.1 - 0.02 * abs(noise[0]),
            ]
        }
        speech.sounds = sounds
        return speech
    }()

    private let labels: ResultTable
    private let selective: ResultTable

    init() throws {
        let folder = try TemporaryFolder()
        let instance = try featuresPlugin(folder).instance(["emit": "all", "kinds": "phoneme", "sample": "100000"])
        try instance.run((0..<160).map { Self.speech.clip($0) })
        labels = try ResultTable("labels", of: instance)
        selective = try ResultTable("selective", of: instance)
    }

    private func number(_ feature: Int, _ column: String) throws -> Double {
        try labels.number(#require(labels.rows(where: ["feature": Cell(feature)]).first), column)
    }

    @Test("what says one sound is selective, rarely or each time; what says several, or hardly any, is not")
    func rule() throws {
        #expect(try selective.number(selective.rows[0], "selective") == 2)
        for feature in [0, 1] {
            let row = try #require(labels.rows(where: ["feature": Cell(feature)]).first)
            #expect(try labels.text(row, "label") == "s")
            #expect(try labels.number(row, "precision_at_recall") > 0.95)
        }
        for feature in [2, 3, 4, 5] {
            guard let row = labels.rows(where: ["feature": Cell(feature)]).first else { continue }
            #expect(try labels.number(row, "precision_at_recall") < 0.6, "\(feature)")
        }
    }

    @Test("a neuron that was never above zero has no label, though it is largest at one sound; no neuron, it has one")
    func silent() throws {
        #expect(labels.rows(where: ["feature": Cell(6)]).isEmpty)
        let folder = try TemporaryFolder()
        var speech = Self.speech
        speech.hook = "encoder.blocks.2"
        let instance = try featuresPlugin(folder).instance([
            "emit": "all", "hooks": speech.hook, "kinds": "phoneme", "sample": "100000",
        ])
        try instance.run((0..<160).map { speech.clip($0) })
        let others = try ResultTable("labels", of: instance)
        let row = try #require(others.rows(where: ["feature": Cell(6)]).first)
        #expect(try others.text(row, "label") == "m")
    }

    @Test("AUC puts a sparse feature below one that hardly says anything, and below a half; average precision does not")
    func measures() throws {
        #expect(try number(0, "auc") < 0.5 && number(0, "precision") > 0.9)
        #expect(try number(4, "auc") > 0.6 && number(4, "auc") > number(0, "auc") + 0.2)
        #expect(try number(4, "precision_at_recall") < 0.5)
        #expect(try number(0, "average_precision") > 2 * number(0, "base"))
        #expect(try number(1, "average_precision") > 0.9 && number(1, "auc") > 0.9)
    }

    @Test("the thresholds of before are there to be asked for")
    func byArea() throws {
        let folder = try TemporaryFolder()
        let instance = try featuresPlugin(folder).instance([
            "kinds": "phoneme", "sample": "100000", "selective-auc": "0.7",
        ])
        try instance.run((0..<160).map { Self.speech.clip($0) })
        let table = try ResultTable("selective", of: instance)
        #expect(try table.number(table.rows[0], "selective") == 1)
        #expect(try table.number(table.rows[0], "auc_at_least") == 0.7)
        #expect(try table.number(table.rows[0], "at_recall") == 0.05)
    }
}
