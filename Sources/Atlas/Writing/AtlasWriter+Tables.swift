import Foundation
import GRDB

extension AtlasWriter {
    typealias TableWriter = (AtlasWriter) -> (AtlasTable, Database) throws -> Void

    /// What is done with each table.
    static var tables: [String: TableWriter] {
        [
            "features": writeFeatures, "examples": writeExamples, "bins": writeBins, "bin_examples": writeBinExamples,
            "bin_sounds": writeBinSounds, "histogram": writeHistogram, "columns": writeColumns, "labels": writeLabels,
            "recordings": writeRecordings, "sounds": writeSounds, "selective": writeSelective,
        ]
    }

    private func writeFeatures(_ table: AtlasTable, _ db: Database) throws {
        try AtlasTableReader(table, needed: ["hook", "feature"]).forEach { row in
            let id = try known.feature(row, scan: scan, db, describes: true)
            try db.cachedStatement(
                sql: """
                    UPDATE features SET name = ?, frames = ?, mean = ?, variance = ?, minimum = ?, maximum = ?,
                    density = ? WHERE id = ?
                    """
            ).execute(arguments: [
                row.text("name") ?? "", try row.integer("frames"), try row.number("mean"), try row.number("variance"),
                try row.number("minimum"), try row.number("maximum"), try row.number("density"), id,
            ])
        }
    }

    private func writeExamples(_ table: AtlasTable, _ db: Database) throws {
        let needed = ["hook", "feature", "rank", "recording", "frame", "value"]
        try AtlasTableReader(table, needed: needed).forEach { row in
            try db.cachedStatement(
                sql: """
                    INSERT INTO examples (feature_id, side, rank, recording_id, frame, seconds, value, curve_first, curve)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """
            ).execute(arguments: [
                try known.feature(row, scan: scan, db), try row.side(),
                try row.needed(integer: "rank", in: 1...(1 << 31)),
                try known.recording(row, scan: scan, db), try row.needed(integer: "frame"), try row.number("seconds"),
                try row.needed(number: "value"), try row.integer("curve_first"), try curve(row),
            ])
        }
    }

    /// Float16 little-endian in base64.
    private func curve(_ row: AtlasTableReader.Row) throws -> Data? {
        guard let text = row.text("curve") else { return nil }
        guard let data = Data(base64Encoded: text), data.count % 2 == 0,
            AtlasExample.values(of: data).allSatisfy(\.isFinite)
        else { throw row.error("curve", expected: "finite float16 values in base64") }
        return data
    }

    private func writeBins(_ table: AtlasTable, _ db: Database) throws {
        try AtlasTableReader(table, needed: ["hook", "feature", "kind", "bin"]).forEach { row in
            let feature = try known.feature(row, scan: scan, db)
            let id = try known.bin(row, of: feature, db, describes: true)
            try db.cachedStatement(sql: "UPDATE bins SET low = ?, high = ?, count = ? WHERE id = ?").execute(
                arguments: [
                    try row.number("low"), try row.number("high"), try row.integer("count"), id,
                ])
        }
    }

    private func writeBinExamples(_ table: AtlasTable, _ db: Database) throws {
        let needed = ["hook", "feature", "kind", "bin", "recording", "frame", "value"]
        try AtlasTableReader(table, needed: needed).forEach { row in
            let feature = try known.feature(row, scan: scan, db)
            try db.cachedStatement(
                sql: "INSERT INTO bin_examples (bin_id, recording_id, frame, seconds, value) VALUES (?, ?, ?, ?, ?)"
            ).execute(arguments: [
                try known.bin(row, of: feature, db), try known.recording(row, scan: scan, db),
                try row.needed(integer: "frame"), try row.number("seconds"), try row.needed(number: "value"),
            ])
        }
    }

    private func writeBinSounds(_ table: AtlasTable, _ db: Database) throws {
        var sounds: [Int64: [String: Int]] = [:]
        try AtlasTableReader(table, needed: ["hook", "feature", "bin", "label", "count"]).forEach { row in
            let feature = try known.feature(row, scan: scan, db)
            let bin = try known.bin(row, of: feature, kind: row.text("kind") ?? "width", db)
            sounds[bin, default: [:]][try row.needed(text: "label")] = try row.needed(integer: "count")
        }
        for (bin, counts) in sounds.sorted(by: { $0.key < $1.key }) {
            // A table may come in parts.
            try db.cachedStatement(sql: "UPDATE bins SET sounds = json_patch(sounds, ?) WHERE id = ?")
                .execute(arguments: [try Self.json(counts), bin])
        }
    }

    private func writeHistogram(_ table: AtlasTable, _ db: Database) throws {
        var cells: [Int64: [String: [[Double]]]] = [:]
        try AtlasTableReader(table, needed: ["hook", "feature", "low", "high", "count"]).forEach { row in
            let feature = try known.feature(row, scan: scan, db)
            cells[feature, default: [:]][try row.side(), default: []].append([
                try row.needed(number: "low"), try row.needed(number: "high"),
                Double(try row.needed(integer: "count")),
            ])
        }
        for (feature, sides) in cells.sorted(by: { $0.key < $1.key }) {
            // A table may come in parts, and a feature's cells in two of them.
            let before = try AtlasHistogram.fetchOne(
                db, sql: "SELECT histogram FROM features WHERE id = ?", arguments: [feature])
            var histogram = before?.histogram ?? [:]
            histogram.merge(sides) { $0 + $1 }
            histogram = histogram.mapValues { cells in cells.sorted { $0[0] < $1[0] } }
            try db.cachedStatement(sql: "UPDATE features SET histogram = ? WHERE id = ?")
                .execute(arguments: [try Self.json(histogram), feature])
        }
    }

    private func writeColumns(_ table: AtlasTable, _ db: Database) throws {
        try AtlasTableReader(table, needed: ["hook", "feature", "column", "value"]).forEach { row in
            try db.cachedStatement(
                sql: """
                    INSERT INTO columns (feature_id, "column", value, frames, mean, variance, maximum, density)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    """
            ).execute(arguments: [
                try known.feature(row, scan: scan, db), try row.needed(text: "column"), row.text("value") ?? "",
                try row.integer("frames"), try row.number("mean"), try row.number("variance"),
                try row.number("maximum"), try row.number("density"),
            ])
        }
    }

    private func writeLabels(_ table: AtlasTable, _ db: Database) throws {
        try AtlasTableReader(table, needed: ["hook", "feature", "kind", "label"]).forEach { row in
            try db.cachedStatement(
                sql: """
                    INSERT INTO labels (feature_id, side, kind, label, threshold, lag, precision, recall, f1, auc,
                        mutual_information, selectivity, p_value, named_frames, scored_frames, named_precision,
                        base, lift, ap, precision_at_recall)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """
            ).execute(arguments: [
                try known.feature(row, scan: scan, db), try row.side(), try row.needed(text: "kind"),
                try row.needed(text: "label"), try row.number("threshold"),
                try row.integer("lag", in: -(1 << 31)...(1 << 31)), try row.number("precision"),
                try row.number("recall"), try row.number("f1"), try row.number("auc"),
                try row.number("mutual_information"), try row.number("selectivity"), try row.number("p_value"),
                try row.integer("named_frames"), try row.integer("scored_frames"), try row.number("named_precision"),
                try row.number("base"), try row.number("lift"),
                try row.number("average_precision"), try row.number("precision_at_recall"),
            ])
        }
    }

    private func writeRecordings(_ table: AtlasTable, _ db: Database) throws {
        let own: Set = ["recording", "name", "seconds", "frames", "speaker", "language", "text", "split"]
        let others = table.columns.filter { !own.contains($0) }
        try AtlasTableReader(table, needed: ["recording"]).forEach { row in
            let id = try known.recording(row, scan: scan, db, describes: true)
            let number = try row.needed(integer: "recording")
            let place = try located(number, row.text("name"))
            let labels = Dictionary(
                uniqueKeysWithValues: others.compactMap { column in
                    row.text(column).map { (column, $0) }
                })
            try db.cachedStatement(
                sql: """
                    UPDATE recordings SET name = ?, path = ?, start = ?, "end" = ?, seconds = ?, frames = ?, sha256 = ?,
                    speaker = ?, language = ?, text = ?, split = ?, labels = ? WHERE id = ?
                    """
            ).execute(arguments: [
                row.text("name"), place?.path, place?.start, place?.end, try row.number("seconds"),
                try row.integer("frames"), place?.sha256, row.text("speaker"), row.text("language"), row.text("text"),
                row.text("split"), try Self.json(labels), id,
            ])
        }
    }

    private func writeSounds(_ table: AtlasTable, _ db: Database) throws {
        try AtlasTableReader(table, needed: ["recording", "kind", "start", "end", "label"]).forEach { row in
            try db.cachedStatement(
                sql: "INSERT INTO sounds (recording_id, kind, start, \"end\", label) VALUES (?, ?, ?, ?, ?)"
            ).execute(arguments: [
                try known.recording(row, scan: scan, db), try row.needed(text: "kind"),
                try row.needed(number: "start"), try row.needed(number: "end"), row.text("label") ?? "",
            ])
        }
    }

    private func writeSelective(_ table: AtlasTable, _ db: Database) throws {
        let own: Set = ["hook", "features", "selective", "share"]
        let others = table.columns.filter { !own.contains($0) }
        try AtlasTableReader(table, needed: ["hook", "features", "selective"]).forEach { row in
            var criterion: [String: Double] = [:]
            for column in others { criterion[column] = try row.number(column) }
            try db.cachedStatement(
                sql: """
                    INSERT INTO selective (scan_id, hook, features, selective, share, criterion)
                    VALUES (?, ?, ?, ?, ?, ?)
                    """
            ).execute(arguments: [
                scan, try row.needed(text: "hook"), try row.needed(integer: "features"),
                try row.needed(integer: "selective"), try row.number("share"), try Self.json(criterion),
            ])
        }
    }
}
