import Foundation
import PluginKit
import TestHost
import TestSupport
import Testing

/// What Tests/Fixtures/features/labels.py found by plain loops in recordings that it invented.
private struct Planted: Decodable {
    struct Recording: Decodable {
        let recording, frames: Int
        let name: String
        let labels: [String: String]
        let phonemes, words: [Sound]
        /// [frame][feature]
        let values: [[Float]]
    }
    struct Sound: Decodable {
        let start, end: Double
        let label: String
        init(from decoder: any Decoder) throws {
            var cells = try decoder.unkeyedContainer()
            (start, end) = (try cells.decode(Double.self), try cells.decode(Double.self))
            label = try cells.decode(String.self)
        }
    }
    struct Run: Decodable {
        let arguments: [String: String]
        let kept: Int
        let labels: [Row]
    }
    /// A row of the table `labels`; what is no number is NaN.
    struct Row: Decodable {
        let feature: Int
        let side, kind, label: String
        let numbers: [Double]
        init(from decoder: any Decoder) throws {
            var cells = try decoder.unkeyedContainer()
            feature = try cells.decode(Int.self)
            (side, kind, label) = (
                try cells.decode(String.self), try cells.decode(String.self), try cells.decode(String.self)
            )
            var numbers: [Double] = []
            while !cells.isAtEnd { numbers.append(try cells.decodeNil() ? .nan : cells.decode(Double.self)) }
            self.numbers = numbers
        }
    }
    let seed: UInt64
    let clips: [Recording]
    let runs: [Run]
}

@Suite("Labels, as plain loops find them")
struct LabelOracleTests {
    private static let columns = [
        "threshold", "lag", "precision", "recall", "f1", "auc", "mutual_information", "selectivity", "p_value",
        "named_frames", "scored_frames", "named_precision", "base", "lift", "average_precision", "precision_at_recall",
    ]

    @Test(
        "names, thresholds, lags, every figure and every p-value, of all frames and of a weighted sample",
        arguments: [0, 1])
    func labels(_ number: Int) throws {
        let planted = try JSONDecoder().decode(
            Planted.self, from: Data(contentsOf: URL(fileURLWithPath: Fixtures.path("features/labels.json"))))
        let expected = planted.runs[number]
        let folder = try TemporaryFolder()
        let instance = try featuresPlugin(folder).instance(
            expected.arguments.merging(["emit": "all", "significance": "1"]) { first, _ in first })
        var run = TestRun()
        run.seed = planted.seed
        try instance.activate(run)
        for recording in planted.clips {
            var clip = TestClip()
            clip.recording = UInt64(recording.recording)
            (clip.name, clip.labels, clip.validFrames) = (recording.name, recording.labels, recording.frames)
            clip.duration = Double(recording.frames) / 50
            clip.phonemes = recording.phonemes.map { ($0.start, $0.end, $0.label) }
            clip.words = recording.words.map { ($0.start, $0.end, $0.label) }
            clip.tensors = [
                TestTensor(
                    "encoder.blocks.0.mlp.1", axes: ["frame", "neuron"],
                    shape: [recording.frames, recording.values[0].count], values: recording.values.flatMap { $0 })
            ]
            try instance.process(clip)
        }
        try instance.finish()
        guard case .text(let method) = try instance.result("method") else { throw TestFailure("no method") }
        let frames = planted.clips.reduce(0) { $0 + $1.frames }
        #expect(method.contains(expected.kept < frames ? "a sample of \(expected.kept)." : "all of them."))

        let table = try ResultTable("labels", of: instance)
        func name(_ row: [Cell]) throws -> String {
            let texts = try ["side", "kind", "label"].map { try table.text(row, $0) }
            return "\(Int(try table.number(row, "feature"))) \(texts.joined(separator: " "))"
        }
        let wanted = Dictionary(
            uniqueKeysWithValues: expected.labels.map {
                ("\($0.feature) \($0.side) \($0.kind) \($0.label)", $0.numbers)
            })
        #expect(try Set(table.rows.map(name)) == Set(wanted.keys) && table.rows.count == wanted.count)
        for row in table.rows {
            let name = try name(row)
            for (column, number) in zip(Self.columns, wanted[name] ?? []) {
                let found = try table.number(row, column)
                let isSame = number.isNaN ? found.isNaN : abs(found - number) <= 1e-9 * max(1, abs(number))
                #expect(isSame, "\(column) of \(name): \(found), not \(number)")
            }
        }
    }
}
