import Atlas
import Foundation

/// A small scan, made up so that every table has something and every query has an answer that one can see.
struct TestTables {
    var hooks = ["encoder.blocks.2.mlp.1"]
    var features = 4
    /// Added to every value, so that two scans differ.
    var offset = 0.0
    static let phonemes = ["s", "ah", "t", "iy"]

    typealias Cell = AtlasTable.Cell

    static func description(dataSet: String = "demo:", seed: UInt64 = .max, plugin: String = "features")
        -> AtlasScanDescription
    {
        AtlasScanDescription(
            model: "default", modelSHA256: String(repeating: "ab", count: 32), dimensions: ["n_audio_state": 64],
            dataSet: dataSet, recordings: 3, plugin: plugin, version: "1.0.0", arguments: ["k": "2"], seed: seed)
    }

    /// Values of a feature: 1 + number, and so on; feature 3 never fires.
    func maximum(_ feature: Int) -> Double { feature == 3 ? 0 : Double(feature + 1) + offset }

    static func curve(_ values: [Float]) -> String {
        Data(values.flatMap { value in withUnsafeBytes(of: Float16(value).bitPattern.littleEndian, Array.init) })
            .base64EncodedString()
    }

    private func table(_ name: String, _ columns: String, _ rows: [[Cell]]) -> AtlasTable {
        AtlasTable(name: name, columns: columns.split(separator: " ").map(String.init), rows: rows)
    }

    private func eachFeature(_ rows: (String, Int) -> [[Cell]]) -> [[Cell]] {
        hooks.flatMap { hook in (0..<features).flatMap { rows(hook, $0) } }
    }

    private func row(_ values: (any CellValue)...) -> [Cell] { values.map(\.cell) }

    var tables: [AtlasTable] {
        [
            featureTable, examples, bins, binExamples, binSounds, histogram, columns, labels, recordings, sounds,
            selective,
        ]
    }

    private var featureTable: AtlasTable {
        table(
            "features", "hook feature name frames mean variance minimum maximum density",
            eachFeature { hook, feature in
                let name = feature == 1 ? "100%_direction" : ""
                let variance = feature == 3 ? Double.nan : 0.25
                let density = feature == 3 ? 0 : 1 / Double(feature + 2)
                let most = maximum(feature)
                return [row(hook, feature, name, 300, most / 2, variance, -0.5, most, density)]
            })
    }

    private var examples: AtlasTable {
        table(
            "examples", "hook feature side rank recording frame seconds value curve_first curve",
            eachFeature { hook, feature in
                guard feature != 3 else { return [] }
                let curve = Self.curve((0..<10).map { Float($0) / 4 })
                return (1...2).map { rank in
                    row(hook, feature, "+", rank, rank - 1, 25, 0.51, maximum(feature) / Double(rank), 20, curve)
                }
            })
    }

    private var bins: AtlasTable {
        table(
            "bins", "hook feature side kind bin low high count",
            eachFeature { hook, feature in
                (0..<2).map { bin in row(hook, feature, "+", "width", bin, Double(bin), Double(bin + 1), 100 - bin) }
            })
    }

    private var binExamples: AtlasTable {
        table(
            "bin_examples", "hook feature side kind bin recording frame seconds value",
            eachFeature { hook, feature in
                (0..<2).flatMap { bin in
                    [0, 2].map { recording in
                        let frame = 10 * bin + 5
                        let value = Double(bin) + Double(recording) / 4
                        return row(
                            hook, feature, "+", "width", bin, recording, frame, Double(frame) / 50 + 0.01, value)
                    }
                }
            })
    }

    private var binSounds: AtlasTable {
        table(
            "bin_sounds", "hook feature side bin label count",
            eachFeature { hook, feature in
                [row(hook, feature, "+", 1, "s", 7), row(hook, feature, "+", 1, "ah", 3)]
            })
    }

    private var histogram: AtlasTable {
        table(
            "histogram", "hook feature side low high count",
            eachFeature { hook, feature in
                [row(hook, feature, "+", 0.5, 1.0, 20), row(hook, feature, "+", 0.0, 0.5, 80)]
            })
    }

    private var columns: AtlasTable {
        table(
            "columns", "hook feature column value frames mean variance maximum density",
            eachFeature { hook, feature in [row(hook, feature, "speaker", "lucas", 100, 0.5, 0.1, 1.0, 0.2)] })
    }

    private var labels: AtlasTable {
        table(
            "labels",
            "hook feature side kind label threshold lag precision recall f1 auc mutual_information selectivity "
                + "p_value named_frames scored_frames named_precision base lift average_precision precision_at_recall",
            eachFeature { hook, feature in
                guard feature != 3 else { return [] }
                return [("phoneme", Self.phonemes[feature % Self.phonemes.count], 0.9, 0.1), ("word", "set", 0.5, 0.4)]
                    .map {
                        kind, label, best, base in
                        let precision = best - Double(feature) / 10
                        let selectivity = 0.2 + Double(feature) / 10
                        return row(
                            hook, feature, "+", kind, label, 0.5, -2, precision, 0.4, 0.5, 0.8, 0.3, selectivity, 0.001,
                            50,
                            40, Double.nan, base, precision / base, precision - 0.2, precision + 0.05)
                    }
            })
    }

    private var recordings: AtlasTable {
        table(
            "recordings", "recording name seconds frames speaker language text split kind",
            (0..<3).map { recording in
                row(
                    recording, "clip-\(recording).wav", 2, 100, recording == 2 ? Cell.missing : Cell.text("lucas"),
                    "en",
                    "set it", recording == 0 ? "name" : "score", "speech")
            })
    }

    private var sounds: AtlasTable {
        table(
            "sounds", "recording kind start end label",
            (0..<3).flatMap { recording in
                [
                    row(recording, "phoneme", 0.0, 0.2, "s"), row(recording, "phoneme", 0.2, 0.6, "ah"),
                    row(recording, "word", 0.0, 0.7, "set"),
                ]
            })
    }

    private var selective: AtlasTable {
        table(
            "selective", "hook features selective share precision auc",
            hooks.map { row($0, features, 2, 0.5, 0.8, 0.9) })
    }

    /// Writes all of it.
    @discardableResult
    func write(
        _ store: AtlasStore, _ description: AtlasScanDescription = description(), order: (Int, Int) -> Bool = (<)
    ) throws -> AtlasScanDetail {
        let writer = try AtlasWriter(store, description) { number, _ in
            AtlasRecordingPlace(path: "/sound/\(number).wav", end: 3, sha256: "00ff")
        }
        let tables = tables
        for place in tables.indices.sorted(by: order) { try writer.take(tables[place]) }
        return try writer.finish()
    }
}

/// What a cell is made of.
protocol CellValue { var cell: AtlasTable.Cell { get } }
extension String: CellValue { var cell: AtlasTable.Cell { .text(self) } }
extension Int: CellValue { var cell: AtlasTable.Cell { .number(Double(self)) } }
extension Double: CellValue { var cell: AtlasTable.Cell { .number(self) } }
extension AtlasTable.Cell: CellValue { var cell: AtlasTable.Cell { self } }
