import Atlas
import Foundation

/// All that an atlas says of its complete scans, in lines without ids and moments, so that two can be compared.
public struct AtlasContents {
    public private(set) var lines: [String] = []

    /// - Parameter places: with where recordings lie.
    public init(_ path: String, places: Bool = true) throws {
        let store = try AtlasStore(path: path, mode: .read)
        for scan in try store.scans() where scan.scan.status == .complete {
            lines.append("\(scan.model.name) \(scan.model.sha256) \(scan.dataSet.name) \(scan.dataSet.recordings)")
            lines.append("\(scan.scan.plugin) \(scan.scan.version) \(scan.scan.arguments) \(scan.scan.seed)")
            lines += scan.hooks.map { "\($0.hook) \($0.features)" }
            lines += scan.selective.map {
                "\($0.hook) \($0.selective) \($0.features) \($0.criterion.sorted { $0 < $1 })"
            }
            lines += scan.problems.map { "\($0.recording): \($0.reason)" }
            for recording in try store.recordings(scan: scan.scan.id) {
                lines.append(Self.line(recording, places))
                lines += try store.recording(recording.id).sounds.map { "\($0.kind) \($0.start) \($0.end) \($0.label)" }
            }
            var query = AtlasQuery()
            query.scan = scan.scan.id
            query.pageSize = 10_000
            for row in try store.features(query).rows { add(try store.card(feature: row.feature.id), places) }
        }
    }

    private mutating func add(_ card: AtlasCard, _ places: Bool) {
        let f = card.feature
        lines.append(
            "\(f.hook) \(f.number) \(f.name) \(f.frames as Any) \(f.mean as Any) \(f.variance as Any) \(f.density as Any)"
                + " \(f.minimum as Any) \(f.maximum as Any)")
        lines += card.labels.map { label in
            var label = label
            label.featureId = 0
            return "\(label)"
        }
        lines += card.columns.map { "\($0.column) \($0.value) \($0.mean as Any) \($0.density as Any)" }
        lines += card.histogram.map { "\($0)" }
        for example in card.examples {
            let e = example.example
            lines.append("\(e.side) \(e.rank) \(e.frame) \(e.seconds as Any) \(e.value) \(e.curveFirst as Any)")
            lines.append("\(example.activation) \(Self.line(example.recording, places))")
        }
        for bin in card.bins {
            lines.append(
                "\(bin.bin.side) \(bin.bin.kind) \(bin.bin.bin) \(bin.bin.low as Any) \(bin.bin.high as Any)"
                    + " \(bin.bin.count as Any) \(bin.bin.sounds.sorted { $0.key < $1.key })")
            lines += bin.examples.map { example in
                "\(example.example.frame) \(example.example.value) \(example.recording.number) \(example.heard)"
            }.sorted()
        }
    }

    private static func line(_ r: AtlasRecording, _ places: Bool) -> String {
        "\(r.number) \(r.name as Any) \(r.seconds as Any) \(r.speaker as Any) \(r.text as Any) \(r.split as Any)"
            + " \(r.labels.sorted { $0.key < $1.key })"
            + (places ? " \(r.path as Any) \(r.start as Any) \(r.end as Any) \(r.sha256 as Any)" : "")
    }
}
