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

    private func number(_ value: some BinaryInteger) -> Cell { .number(Double(value)) }

    var tables: [AtlasTable] {
        [
            table(
                "features", "hook feature name frames mean variance minimum maximum density",
                eachFeature { hook, feature in
                    [
                        [
                            .text(hook), number(feature), .text(feature == 1 ? "100%_direction" : ""), .number(300),
                            .number(maximum(feature) / 2), feature == 3 ? .number(.nan) : .number(0.25), .number(-0.5),
                            .number(maximum(feature)), .number(feature == 3 ? 0 : 1 / Double(feature + 2)),
                        ]
                    ]
                }),
            table(
                "examples", "hook feature side rank recording frame seconds value curve_first curve",
                eachFeature { hook, feature in
                    guard feature != 3 else { return [] }
                    return (1...2).map { rank in
                        [
                            .text(hook), number(feature), .text("+"), number(rank), number(rank - 1), .number(25),
                            .number(0.51), .number(maximum(feature) / Double(rank)), .number(20),
                            .text(Self.curve((0..<10).map { Float($0) / 4 })),
                        ]
                    }
                }),
            table(
                "bins", "hook feature side kind bin low high count",
                eachFeature { hook, feature in
                    (0..<2).map { bin in
                        [
                            .text(hook), number(feature), .text("+"), .text("width"), number(bin),
                            .number(Double(bin)), .number(Double(bin + 1)), number(100 - bin),
                        ]
                    }
                }),
            table(
                "bin_examples", "hook feature side kind bin recording frame seconds value",
                eachFeature { hook, feature in
                    (0..<2).flatMap { bin in
                        [0, 2].map { recording in
                            [
                                .text(hook), number(feature), .text("+"), .text("width"), number(bin),
                                number(recording), number(10 * bin + 5), .number(Double(10 * bin + 5) / 50 + 0.01),
                                .number(Double(bin) + Double(recording) / 4),
                            ]
                        }
                    }
                }),
            table(
                "bin_sounds", "hook feature side bin label count",
                eachFeature { hook, feature in
                    [("s", 7), ("ah", 3)].map { label, count in
                        [.text(hook), number(feature), .text("+"), .number(1), .text(label), number(count)]
                    }
                }),
            table(
                "histogram", "hook feature side low high count",
                eachFeature { hook, feature in
                    [(0.5, 1.0, 20), (0.0, 0.5, 80)].map { low, high, count in
                        [.text(hook), number(feature), .text("+"), .number(low), .number(high), number(count)]
                    }
                }),
            table(
                "columns", "hook feature column value frames mean variance maximum density",
                eachFeature { hook, feature in
                    [
                        [
                            .text(hook), number(feature), .text("speaker"), .text("lucas"), .number(100), .number(0.5),
                            .number(0.1), .number(1), .number(0.2),
                        ]
                    ]
                }),
            table(
                "labels",
                "hook feature side kind label threshold lag precision recall f1 auc mutual_information selectivity "
                    + "p_value named_frames scored_frames named_precision",
                eachFeature { hook, feature in
                    guard feature != 3 else { return [] }
                    return [("phoneme", Self.phonemes[feature], 0.9), ("word", "set", 0.5)].map { kind, label, best in
                        [
                            .text(hook), number(feature), .text("+"), .text(kind), .text(label), .number(0.5),
                            .number(-2), .number(best - Double(feature) / 10), .number(0.4), .number(0.5), .number(0.8),
                            .number(0.3), .number(0.2 + Double(feature) / 10), .number(0.001), .number(50), .number(40),
                            .number(.nan),
                        ]
                    }
                }),
            table(
                "recordings", "recording name seconds frames speaker language text split kind",
                (0..<3).map { recording in
                    [
                        number(recording), .text("clip-\(recording).wav"), .number(2), .number(100),
                        recording == 2 ? .missing : .text("lucas"), .text("en"), .text("set it"),
                        .text(recording == 0 ? "name" : "score"), .text("speech"),
                    ]
                }),
            table(
                "sounds", "recording kind start end label",
                (0..<3).flatMap { recording in
                    [("phoneme", 0.0, 0.2, "s"), ("phoneme", 0.2, 0.6, "ah"), ("word", 0.0, 0.7, "set")].map {
                        kind, start, end, label in
                        [number(recording), .text(kind), .number(start), .number(end), .text(label)]
                    }
                }),
            table(
                "selective", "hook features selective share precision auc",
                hooks.map { [.text($0), number(features), .number(2), .number(0.5), .number(0.8), .number(0.9)] }),
        ]
    }

    /// Writes all of it.
    @discardableResult
    func write(
        _ store: AtlasStore, _ description: AtlasScanDescription = description(), order: (Int, Int) -> Bool = (<)
    ) throws -> AtlasScanDetail {
        let writer = try AtlasWriter(store, description) { number, _ in
            AtlasRecordingPlace(path: "/sound/\(number).wav", start: 1, end: 3, sha256: "00ff")
        }
        let tables = tables
        for place in tables.indices.sorted(by: order) { try writer.take(tables[place]) }
        return try writer.finish()
    }
}
