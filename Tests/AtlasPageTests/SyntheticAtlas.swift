import Atlas
import Foundation

/// An atlas of features that never were, with recordings that can be played: vowels of plain harmonics, a quarter of a
/// second each. Feature f prefers the vowel f mod 8, so that what a page shows can be foretold.
struct SyntheticAtlas {
    static let vowels = ["aa", "ae", "ah", "eh", "er", "iy", "ow", "uw"]
    static let hook = "encoder.blocks.2.mlp.1"
    static let decoderHook = "decoder.blocks.0.mlp.1"
    /// What must stay text.
    static let hostile = "<script>document.title='taken'</script>"
    static let seconds = 2.0
    /// Where the tokens of a recording's second window begin.
    static let window = 448

    let path: String
    let recordings: Int
    private let features: Int
    private let detailed: Int

    /// Writes an atlas and its recordings into `folder`.
    /// - Parameters:
    ///   - features: of the encoder's hook point; a tenth as many of the decoder's follow.
    ///   - detailed: how many of each have examples and bins; the others have statistics and labels.
    init(in folder: String, features: Int = 40, detailed: Int = 10, recordings: Int = 12) throws {
        path = folder + "/synthetic.atlas"
        (self.features, self.detailed, self.recordings) = (features, detailed, recordings)
        for recording in 0..<recordings {
            try Data(Self.wav(Self.sound(recording))).write(
                to: URL(fileURLWithPath: "\(folder)/recording-\(recording).wav"))
        }
        try write(try AtlasStore(path: path, mode: .write)) { "\(folder)/recording-\($0).wav" }
    }

    /// Writes the scan, once more where it is there already; of another model, another scan.
    func write(_ store: AtlasStore, model: String = "synthetic", place: @escaping (Int) -> String) throws {
        let description = AtlasScanDescription(
            model: model, modelSHA256: "", dimensions: ["n_audio_state": 64], dataSet: "/recordings",
            recordings: recordings, plugin: "org.auscult.features", version: "1.0.0", arguments: [:], seed: 7)
        let writer = try AtlasWriter(store, description) { number, _ in AtlasRecordingPlace(path: place(number)) }
        for table in tables() { try writer.take(table) }
        try writer.problem(recording: "broken.wav", reason: "no sound")
        try writer.finish()
    }

    /// The vowel that is heard in the eighth `part` of a recording.
    static func vowel(_ recording: Int, _ part: Int) -> Int { (recording * 3 + part * 5) % 8 }

    private func tables() -> [AtlasTable] {
        [recordingTable(), soundTable(), featureTable(), labelTable(), exampleTable(), histogramTable()] + binTables()
    }

    private var all: [(hook: String, feature: Int, isDetailed: Bool)] {
        (0..<features).map { (Self.hook, $0, $0 < detailed) }
            + (0..<features / 10).map { (Self.decoderHook, $0, $0 < detailed) }
    }

    private func recordingTable() -> AtlasTable {
        AtlasTable(
            name: "recordings",
            columns: ["recording", "name", "seconds", "frames", "speaker", "language", "text", "split"],
            rows: (0..<recordings).map { recording -> [AtlasTable.Cell] in
                // A manifest may name its recordings by where they lie.
                let folder = recording == 3 ? (path as NSString).deletingLastPathComponent + "/" : ""
                let name = recording == 1 ? Self.hostile : "\(folder)recording-\(recording).wav"
                let split = recording % 2 == 0 ? "name" : "score"
                return [
                    .number(Double(recording)), .text(name), .number(Self.seconds), .number(100),
                    .text("speaker \(recording % 4)"), .text("en"), .text("one two three four"), .text(split),
                ]
            })
    }

    private func soundTable() -> AtlasTable {
        var rows: [[AtlasTable.Cell]] = []
        for recording in 0..<recordings {
            func add(_ kind: String, _ start: Double, _ end: Double, _ label: String) {
                rows.append([.number(Double(recording)), .text(kind), .number(start), .number(end), .text(label)])
            }
            for part in 0..<8 {
                add("phoneme", Double(part) / 4, Double(part + 1) / 4, Self.vowels[Self.vowel(recording, part)])
            }
            for (place, word) in ["one", " two", " three", " four"].enumerated() {
                add("word", Double(place) / 2, Double(place + 1) / 2, word.trimmingCharacters(in: .whitespaces))
                // In two windows of a model with 448 tokens.
                add("token", Double(place), Double(place + 1), "\(word) before")
                add("token", Double(Self.window + place), Double(Self.window + place + 1), word)
            }
        }
        return AtlasTable(name: "sounds", columns: ["recording", "kind", "start", "end", "label"], rows: rows)
    }

    private func featureTable() -> AtlasTable {
        AtlasTable(
            name: "features",
            columns: ["hook", "feature", "name", "frames", "mean", "variance", "minimum", "maximum", "density"],
            rows: all.map { hook, feature, _ -> [AtlasTable.Cell] in
                let maximum = 1 + Double(feature % 100) / 20, density = Double(feature * 37 % 1000) / 1000
                return [
                    .text(hook), .number(Double(feature)), .text(feature == 5 ? Self.hostile : ""), .number(1200),
                    .number(0.02), .number(0.04), .number(-0.17), .number(maximum),
                    feature % 50 == 49 ? .missing : .number(density),
                ]
            })
    }

    /// Every fifth feature has no label; the others have one or two.
    private func labelTable() -> AtlasTable {
        var rows: [[AtlasTable.Cell]] = []
        for (hook, feature, _) in all where feature % 5 != 4 {
            let selectivity = Double(feature * 61 % 1000) / 1000
            func add(_ kind: String, _ label: String, _ precision: Double, threshold: Double = 0.8) {
                let base = kind == "word" ? 0.25 : 0.125
                let scores = [
                    threshold, 2, precision, 0.5, 0.6, 0.9, 0.03, selectivity, 0.001, 600, 600, precision, base,
                    precision / base,
                ]
                let head: [AtlasTable.Cell] = [
                    .text(hook), .number(Double(feature)), .text(threshold < 0 ? "-" : "+"), .text(kind), .text(label),
                ]
                // One of those that an older atlas has.
                let known = feature == 7 ? 12 : 14
                rows.append(head + scores.enumerated().map { $0 < known ? .number($1) : .missing })
            }
            add("phoneme", Self.vowels[feature % 8], 0.5 + Double(feature * 17 % 500) / 1000)
            if feature % 3 == 0 { add("word", feature == 3 ? Self.hostile : "two", 0.4) }
            if hook == Self.hook, feature == 6 { add("word", "two", 0.3, threshold: -0.1) }
        }
        return AtlasTable(
            name: "labels",
            columns: [
                "hook", "feature", "side", "kind", "label", "threshold", "lag", "precision", "recall", "f1", "auc",
                "mutual_information", "selectivity", "p_value", "named_frames", "scored_frames", "named_precision",
                "base", "lift",
            ], rows: rows)
    }

    private func exampleTable() -> AtlasTable {
        var rows: [[AtlasTable.Cell]] = []
        for (hook, feature, isDetailed) in all where isDetailed {
            let isDecoder = hook == Self.decoderHook
            for side in feature % 3 == 0 ? ["+", "-"] : ["+"] {
                for rank in 0..<min(7, recordings) {
                    let frame = isDecoder ? Self.window + 2 : Self.frame(feature, rank)
                    let first = isDecoder ? Self.window : 0
                    let value = (side == "+" ? 1 : -0.1) * (5 - Double(rank) / 2)
                    let width = isDecoder ? 0.5 : 4.0
                    let bytes = (0..<(isDecoder ? 4 : 100)).flatMap { place -> [UInt8] in
                        let distance = Double(first + place - frame) / width
                        let bits = Float16(value * exp(-distance * distance)).bitPattern
                        return [UInt8(bits & 255), UInt8(bits >> 8)]
                    }
                    let seconds: AtlasTable.Cell = isDecoder ? .missing : .number((Double(frame) + 0.5) / 50)
                    let row: [AtlasTable.Cell] = [
                        .text(hook), .number(Double(feature)), .text(side), .number(Double(rank + 1)),
                        .number(Double(rank)), .number(Double(frame)), seconds, .number(value),
                        .number(Double(first)),
                        .text(Data(bytes).base64EncodedString()),
                    ]
                    rows.append(row)
                }
            }
        }
        return AtlasTable(
            name: "examples",
            columns: [
                "hook", "feature", "side", "rank", "recording", "frame", "seconds", "value", "curve_first", "curve",
            ], rows: rows)
    }

    /// The middle of the first part of a recording where the feature's vowel is heard.
    static func frame(_ feature: Int, _ recording: Int) -> Int {
        let part = (0..<8).first { vowel(recording, $0) == feature % 8 } ?? 0
        return Int((Double(part) + 0.5) * 12.5)
    }

    private func histogramTable() -> AtlasTable {
        var rows: [[AtlasTable.Cell]] = []
        for (hook, feature, isDetailed) in all where isDetailed {
            for cell in 0..<40 {
                let count = (40000 * exp(-Double(cell) / 4)).rounded() + 1
                let row: [AtlasTable.Cell] = [
                    .text(hook), .number(Double(feature)), .text("+"), .number(Double(cell) / 8),
                    .number(Double(cell + 1) / 8), .number(count),
                ]
                rows.append(row)
            }
            guard feature == 6 else { continue }
            // Distances below zero.
            for (cell, count) in [400.0, 300, 200, 100].enumerated() {
                let row: [AtlasTable.Cell] = [
                    .text(hook), .number(Double(feature)), .text("-"), .number(Double(cell) / 20),
                    .number(Double(cell + 1) / 20), .number(count),
                ]
                rows.append(row)
            }
        }
        return AtlasTable(name: "histogram", columns: ["hook", "feature", "side", "low", "high", "count"], rows: rows)
    }

    /// From strong to weak a second vowel takes the first one's place.
    private func binTables() -> [AtlasTable] {
        var bins: [[AtlasTable.Cell]] = []
        var examples: [[AtlasTable.Cell]] = []
        var sounds: [[AtlasTable.Cell]] = []
        for (hook, feature, isDetailed) in all where isDetailed && hook == Self.hook {
            for kind in ["width", "quantile"] {
                for bin in 0..<10 {
                    let head: [AtlasTable.Cell] = [
                        .text(hook), .number(Double(feature)), .text("+"), .text(kind), .number(Double(bin)),
                    ]
                    let low = Double(bin) / 2
                    bins.append(head + [.number(low), .number(low + 0.5), .number(Double(1000 - bin * 99))])
                    for example in 0..<3 {
                        let recording = (bin + example) % recordings
                        let frame = Self.frame(feature + (bin < 5 ? 3 : 0), recording)
                        let place = [Double(recording), Double(frame), (Double(frame) + 0.5) / 50]
                        examples.append(head + (place + [low + 0.1 * Double(example)]).map { .number($0) })
                    }
                    guard kind == "width" else { continue }
                    for (vowel, count) in [(feature, bin * 60 + 10), (feature + 3, (9 - bin) * 40 + 5)] {
                        let place = [head[0], head[1], head[2], head[4]]
                        sounds.append(place + [.text(Self.vowels[vowel % 8]), .number(Double(count))])
                    }
                }
            }
        }
        let head = ["hook", "feature", "side", "kind", "bin"]
        return [
            AtlasTable(name: "bins", columns: head + ["low", "high", "count"], rows: bins),
            AtlasTable(
                name: "bin_examples", columns: head + ["recording", "frame", "seconds", "value"], rows: examples),
            AtlasTable(
                name: "bin_sounds", columns: ["hook", "feature", "side", "bin", "label", "count"], rows: sounds),
        ]
    }

    /// Two seconds at 16 kHz: eight vowels, each the harmonics of 120 Hz nearest to two formants.
    static func sound(_ recording: Int) -> [Float] {
        let formants: [(Double, Double)] = [
            (730, 1090), (660, 1720), (640, 1190), (530, 1840), (490, 1350), (270, 2290), (570, 840), (300, 870),
        ]
        return (0..<32000).map { sample -> Float in
            let time = Double(sample) / 16000
            let (first, second) = formants[vowel(recording, min(sample / 4000, 7))]
            var value = 0.0
            for harmonic in 1...24 {
                let frequency = Double(harmonic) * (110 + Double(recording % 4) * 15)
                let near = exp(-pow((frequency - first) / 150, 2)) + 0.5 * exp(-pow((frequency - second) / 200, 2))
                value += (near + 0.01) * sin(2 * .pi * frequency * time)
            }
            // Each vowel fades in and out, so that none begins with a click.
            let place = Double(sample % 4000) / 4000
            return Float(0.25 * value * min(1, 8 * place, 8 * (1 - place)))
        }
    }

    static func wav(_ samples: [Float]) -> [UInt8] {
        func little(_ value: Int, _ bytes: Int) -> [UInt8] { (0..<bytes).map { UInt8(value >> (8 * $0) & 255) } }
        let data = samples.flatMap { little(Int((max(-1, min(1, $0)) * 32767).rounded()) & 0xffff, 2) }
        let format: [(Int, Int)] = [(16, 4), (1, 2), (1, 2), (16000, 4), (32000, 4), (2, 2), (16, 2)]
        var file = Array("RIFF".utf8) + little(36 + data.count, 4) + Array("WAVEfmt ".utf8)
        for (value, bytes) in format { file += little(value, bytes) }
        return file + Array("data".utf8) + little(data.count, 4) + data
    }
}
