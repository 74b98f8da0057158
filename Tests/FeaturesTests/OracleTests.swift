import Foundation
import PluginKit
import TestHost
import TestSupport
import Testing

/// What Tests/Fixtures/features/generate.py found by numpy in the activations of real recordings.
private struct Expected: Decodable {
    struct Settings: Decodable {
        let hook: String
        let features, k, bins, reservoir: Int
        let seed: UInt64
        let threshold: Double
        let minimum: Int
        let split: [String]
    }
    struct Label: Decodable {
        let label: String
        let threshold: Double
        let lag: Int
        let precision, recall, f1, auc, mutual_information, selectivity, named_precision, base, lift: Double
        let named_frames, scored_frames: Int
    }
    struct Feature: Decodable {
        let frames: Int
        let mean, variance, minimum, maximum, density: Double
        let examples: [Example]
        let histogram: [[Double]]
        let bins: [Row]
        let bin_examples: [Row]
        let bin_sounds: [Row]
        let voices: [Row]
        let label: Label?
    }
    /// [rank, recording, frame, value, first of the curve, curve as bits].
    struct Example: Decodable {
        let numbers: [Double]
        let curve: [UInt16]
        init(from decoder: any Decoder) throws {
            var cells = try decoder.unkeyedContainer()
            numbers = try (0..<5).map { _ in try cells.decode(Double.self) }
            curve = try cells.decode([UInt16].self)
        }
    }
    /// Numbers and texts, as they lie in a row.
    struct Row: Decodable {
        let cells: [Cell]
        init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            var cells: [Cell] = []
            while !container.isAtEnd {
                if let number = try? container.decode(Double.self) {
                    cells.append(.number(number))
                } else {
                    cells.append(.text(try container.decode(String.self)))
                }
            }
            self.cells = cells
        }
    }
    let settings: Settings
    let features: [Feature]
}

private struct Told: Decodable {
    let recording: Int
    let name: String
    let seconds: Double
    let frames: Int
    let labels: [String: String]
    let phonemes, words: [Expected.Row]

    func timed(_ rows: [Expected.Row]) -> [(start: Double, end: Double, label: String)] {
        rows.compactMap { row in
            if case .number(let start) = row.cells[0], case .number(let end) = row.cells[1],
                case .text(let label) = row.cells[2]
            {
                (start, end, label)
            } else {
                nil
            }
        }
    }
}

@Suite("Features of real recordings, as numpy finds them")
struct OracleTests {
    private let expected: Expected
    private let told: [Told]
    private let instance: TestInstance
    private let folder: TemporaryFolder

    init() throws {
        func read<Value: Decodable>(_ name: String) throws -> Value {
            try JSONDecoder().decode(
                Value.self, from: Data(contentsOf: URL(fileURLWithPath: Fixtures.path("features/\(name)"))))
        }
        expected = try read("expected.json")
        told = try read("clips.json")
        let bytes = try Data(contentsOf: URL(fileURLWithPath: Fixtures.path("features/activations.f32")))
        let all = stride(from: 0, to: bytes.count, by: 4).map { place in
            Float(bitPattern: (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[place + $1]) << UInt32(8 * $1) })
        }
        let settings = expected.settings
        folder = try TemporaryFolder()
        instance = try featuresPlugin(folder).instance([
            "emit": "all", "k": "\(settings.k)", "bins": "\(settings.bins)", "reservoir": "\(settings.reservoir)",
            "threshold": "\(settings.threshold)", "minimum": "\(settings.minimum)", "significance": "1",
            "kinds": "phoneme",
        ])
        var run = TestRun()
        run.seed = settings.seed
        try instance.activate(run)
        var start = 0
        for told in told {
            var clip = TestClip()
            clip.recording = UInt64(told.recording)
            clip.name = told.name
            clip.duration = told.seconds
            clip.validFrames = told.frames
            clip.labels = told.labels
            clip.phonemes = told.timed(told.phonemes)
            clip.words = told.timed(told.words)
            let count = told.frames * settings.features
            // Padding behind the valid frames, which is not to be looked at.
            let padding = [Float](repeating: 1e6, count: 3 * settings.features)
            clip.tensors = [
                TestTensor(
                    settings.hook, axes: ["frame", "neuron"], shape: [told.frames + 3, settings.features],
                    values: Array(all[start..<start + count]) + padding, validPositions: told.frames)
            ]
            start += count
            try instance.process(clip)
        }
        try #require(start == all.count)
        try instance.finish()
    }

    private func isClose(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 1e-5 * max(1, abs(b)) }

    private func expectSame(_ found: [Cell], _ wanted: [Cell], _ what: String) {
        guard found.count == wanted.count else {
            Issue.record("\(what): \(found) has not the cells of \(wanted)")
            return
        }
        for (a, b) in zip(found, wanted) {
            switch (a, b) {
            case (.number(let a), .number(let b)): #expect(isClose(a, b), "\(what): \(found), not \(wanted)")
            default: #expect(a == b, "\(what): \(found), not \(wanted)")
            }
        }
    }

    /// Rows of a table about one feature, without the columns that name it.
    private func rows(_ table: ResultTable, _ feature: Int, _ columns: [String]) -> [[Cell]] {
        table.rows(where: ["feature": Cell(feature)]).map { row in columns.compactMap { table.cell(row, $0) } }
    }

    private func expectSame(_ found: [[Cell]], _ wanted: [[Cell]], _ what: String) {
        #expect(found.count == wanted.count, "\(what): \(found.count) rows, not \(wanted.count)")
        for (a, b) in zip(found, wanted) { expectSame(a, b, what) }
    }

    @Test("moments, minima, maxima and densities")
    func moments() throws {
        let table = try ResultTable("features", of: instance)
        for (feature, wanted) in expected.features.enumerated() {
            let columns = ["frames", "mean", "variance", "minimum", "maximum", "density"]
            let numbers = [
                Double(wanted.frames), wanted.mean, wanted.variance, wanted.minimum, wanted.maximum, wanted.density,
            ]
            expectSame(rows(table, feature, columns), [numbers.map { Cell($0) }], "feature \(feature)")
        }
    }

    @Test("the best recordings, the moments of their maxima, and the curves around them, to the bit")
    func examples() throws {
        let table = try ResultTable("examples", of: instance)
        for (feature, wanted) in expected.features.enumerated() {
            let columns = ["rank", "recording", "frame", "value", "curve_first"]
            expectSame(
                rows(table, feature, columns), wanted.examples.map { $0.numbers.map { Cell($0) } }, "feature \(feature)"
            )
            for (row, example) in zip(table.rows(where: ["feature": Cell(feature)]), wanted.examples) {
                let curve = try #require(Data(base64Encoded: table.text(row, "curve")))
                #expect(Array(curve) == example.curve.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] })
                #expect(try isClose(table.number(row, "seconds"), (table.number(row, "frame") + 0.5) / 50))
            }
        }
    }

    @Test("histograms, ranges of equal width and of equal count, their samples and their sounds")
    func ranges() throws {
        let tables = try ["histogram", "bins", "bin_examples", "bin_sounds"].map { try ResultTable($0, of: instance) }
        for (feature, wanted) in expected.features.enumerated() {
            expectSame(
                rows(tables[0], feature, ["low", "high", "count"]),
                wanted.histogram.map { $0.map { Cell($0) } }, "histogram of \(feature)")
            expectSame(
                rows(tables[1], feature, ["kind", "bin", "low", "high", "count"]), wanted.bins.map(\.cells),
                "bins of \(feature)")
            expectSame(
                rows(tables[2], feature, ["kind", "bin", "recording", "frame", "value"]),
                wanted.bin_examples.map(\.cells), "examples in bins of \(feature)")
            func sorted(_ rows: [[Cell]]) -> [String] { rows.map { "\($0)" }.sorted() }
            #expect(
                sorted(rows(tables[3], feature, ["bin", "label", "count"])) == sorted(wanted.bin_sounds.map(\.cells)))
        }
    }

    @Test("moments for each value of a column")
    func columns() throws {
        let table = try ResultTable("columns", of: instance)
        for (feature, wanted) in expected.features.enumerated() {
            let found = table.rows(where: ["feature": Cell(feature), "column": "voice"]).map { row in
                ["value", "frames", "mean", "variance", "maximum", "density"].compactMap { table.cell(row, $0) }
            }
            expectSame(found, wanted.voices.map(\.cells), "voices of \(feature)")
        }
    }

    @Test("labels: threshold, lag, name, and every figure of the scoring split")
    func labels() throws {
        let table = try ResultTable("labels", of: instance)
        for (feature, wanted) in expected.features.enumerated() {
            let found = table.rows(where: ["feature": Cell(feature)])
            guard let label = wanted.label else {
                #expect(found.isEmpty)
                continue
            }
            let row = try #require(found.first)
            #expect(try table.text(row, "label") == label.label && found.count == 1)
            let columns = [
                "threshold", "lag", "precision", "recall", "f1", "auc", "mutual_information", "selectivity",
                "named_frames", "scored_frames", "named_precision", "base", "lift",
            ]
            let numbers = [
                label.threshold, Double(label.lag), label.precision, label.recall, label.f1, label.auc,
                label.mutual_information, label.selectivity, Double(label.named_frames), Double(label.scored_frames),
                label.named_precision, label.base, label.lift,
            ]
            expectSame(columns.compactMap { table.cell(row, $0) }, numbers.map { Cell($0) }, "label of \(feature)")
            #expect((0.0...1).contains(try table.number(row, "p_value")))
        }
    }

    @Test("the split, and what was said when")
    func recordings() throws {
        let table = try ResultTable("recordings", of: instance)
        #expect(try table.rows.map { try table.text($0, "split") } == expected.settings.split)
        let sounds = try ResultTable("sounds", of: instance)
        let phonemes = sounds.rows(where: ["kind": "phoneme"])
        let wanted = told.flatMap { told -> [[Cell]] in
            told.phonemes.map { phoneme -> [Cell] in
                let start: [Cell] = [Cell(told.recording), "phoneme"]
                return start + phoneme.cells
            }
        }
        expectSame(phonemes, wanted, "sounds")
    }
}
