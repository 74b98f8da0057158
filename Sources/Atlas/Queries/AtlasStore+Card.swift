import GRDB

extension AtlasStore {
    /// Everything about a feature.
    /// - Parameter id: the feature's id in this atlas.
    /// - Throws: ``AtlasError`` (`notFound`).
    public func card(feature id: Int64) throws -> AtlasCard {
        try read { db in
            let feature = try AtlasFeature.fetchOne(
                db, sql: "SELECT * FROM features WHERE id = ?", arguments: [id])
            guard let feature else { throw AtlasError(.notFound, "\(path) has no feature with the id \(id)") }
            return try card(feature, db)
        }
    }

    /// Everything about the feature `number` of a hook point, of the newest complete scan that has it.
    /// - Parameter scan: of this scan alone.
    /// - Throws: ``AtlasError`` (`notFound`), which names what there is.
    public func card(hook: String, number: Int, scan: Int64? = nil) throws -> AtlasCard {
        try card(hook: hook, named: String(number), scan: scan)
    }

    /// Everything about a feature of a hook point, which is called by its number or its name, of the newest complete scan
    /// that has it. What is a number is no name.
    /// - Parameter scan: of this scan alone.
    /// - Throws: ``AtlasError`` (`notFound`), which names what there is.
    public func card(hook: String, named name: String, scan: Int64? = nil) throws -> AtlasCard {
        let number = Int64(name)
        return try read { db in
            let feature = try AtlasFeature.fetchOne(
                db,
                sql: """
                    SELECT features.* FROM features JOIN scans ON scans.id = features.scan_id
                    WHERE features.hook = :hook AND \(number == nil ? "features.name = :name" : "features.number = :number")
                        AND scans.status = 'complete' AND (:scan IS NULL OR scans.id = :scan)
                    ORDER BY scans.id DESC, features.number LIMIT 1
                    """,
                arguments: ["hook": hook, "scan": scan] + (number.map { ["number": $0] } ?? ["name": name]))
            if let feature { return try card(feature, db) }
            throw AtlasError(.notFound, try missing(hook, name, scan, db))
        }
    }

    /// Two features side by side.
    public func compare(_ first: Int64, _ second: Int64) throws -> [AtlasCard] {
        [try card(feature: first), try card(feature: second)]
    }

    private func missing(_ hook: String, _ name: String, _ scan: Int64?, _ db: Database) throws -> String {
        let count = try Int.fetchOne(
            db,
            sql: """
                SELECT COUNT(*) FROM features JOIN scans ON scans.id = features.scan_id
                WHERE features.hook = :hook AND scans.status = 'complete' AND (:scan IS NULL OR scans.id = :scan)
                """, arguments: ["hook": hook, "scan": scan])
        let place = scan.map { "scan \($0) of \(path)" } ?? path
        if let count, count > 0 {
            let what = Int64(name) == nil ? "name '\(name)'" : "number \(name)"
            return "\(place) has \(count) features of \(hook), and none with the \(what)"
        }
        if let scan {
            let scans = try Int64.fetchAll(db, sql: "SELECT id FROM scans WHERE status = 'complete' ORDER BY id")
            return "\(path) has no features of '\(hook)' in a scan \(scan); its complete scans are "
                + (scans.isEmpty ? "none" : scans.map(String.init).joined(separator: ", "))
        }
        let hooks = try String.fetchAll(
            db,
            sql: """
                SELECT DISTINCT features.hook FROM features JOIN scans ON scans.id = features.scan_id
                WHERE scans.status = 'complete' ORDER BY features.hook LIMIT 40
                """)
        return "\(path) has no features of '\(hook)'; it has "
            + (hooks.isEmpty ? "no complete scan" : hooks.joined(separator: ", "))
    }

    private func card(_ feature: AtlasFeature, _ db: Database) throws -> AtlasCard {
        let scan = try AtlasScan.fetchOne(db, sql: "SELECT * FROM scans WHERE id = ?", arguments: [feature.scanId])
        guard let scan else {
            throw AtlasError(.dataLoss, "\(path) is damaged: feature \(feature.id) belongs to no scan")
        }
        var recordings = RecordingCache()
        let labels = try AtlasLabel.fetchAll(
            db,
            sql: """
                SELECT * FROM labels WHERE feature_id = ?
                ORDER BY kind, side, precision IS NULL, precision DESC, label
                """, arguments: [feature.id])
        return AtlasCard(
            feature: feature, scan: scan, labels: labels,
            columns: try AtlasColumn.fetchAll(
                db, sql: "SELECT * FROM columns WHERE feature_id = ? ORDER BY \"column\", value",
                arguments: [feature.id]),
            histogram: try AtlasHistogram.fetchOne(
                db, sql: "SELECT histogram FROM features WHERE id = ?", arguments: [feature.id])?.cells ?? [],
            examples: try examples(feature.id, labels, &recordings, db),
            bins: try bins(feature.id, labels, &recordings, db))
    }

    private func examples(
        _ feature: Int64, _ labels: [AtlasLabel], _ recordings: inout RecordingCache, _ db: Database
    ) throws -> [AtlasExampleCard] {
        try AtlasExample.fetchAll(
            db, sql: "SELECT * FROM examples WHERE feature_id = ? ORDER BY side, rank", arguments: [feature]
        ).map { example in
            let (recording, sounds) = try recordings.get(example.recordingId, path, db)
            let activation = example.activation
            guard activation.allSatisfy(\.isFinite) else {
                throw AtlasError(.dataLoss, "\(path) is damaged: the curve of example \(example.id) holds no numbers")
            }
            var heard = sounds
            if let first = example.curveFirst, !activation.isEmpty, let rate = example.rate(in: recording) {
                let start = (recording.start ?? 0) + Double(first) / rate
                let end = start + Double(activation.count) / rate
                heard = sounds.filter { $0.kind != "token" && $0.start < end && $0.end > start }
            }
            return AtlasExampleCard(
                example: example, recording: recording, activation: activation, sounds: heard,
                lag: labels.lag(of: example.side))
        }
    }

    private func bins(
        _ feature: Int64, _ labels: [AtlasLabel], _ recordings: inout RecordingCache, _ db: Database
    ) throws -> [AtlasBinCard] {
        try AtlasBin.fetchAll(
            db, sql: "SELECT * FROM bins WHERE feature_id = ? ORDER BY side, kind, bin", arguments: [feature]
        ).map { bin in
            let examples = try AtlasBinExample.fetchAll(
                db, sql: "SELECT * FROM bin_examples WHERE bin_id = ? ORDER BY value DESC, recording_id, frame",
                arguments: [bin.id])
            return AtlasBinCard(
                bin: bin,
                examples: try examples.map { example in
                    let (recording, sounds) = try recordings.get(example.recordingId, path, db)
                    // What is read at a token, and what is heard at any other moment.
                    let delay = Double(labels.lag(of: bin.side)) * AtlasLabel.secondsOfLag
                    let (kind, at) = (
                        example.seconds == nil ? "token" : "phoneme",
                        example.seconds.map { $0 - delay } ?? Double(example.frame)
                    )
                    let heard = sounds.filter { $0.kind == kind && $0.start <= at && at < $0.end }
                    return AtlasBinCard.Example(example: example, recording: recording, heard: heard.map(\.label))
                })
        }
    }
}

/// Recordings that a card needs, each read once.
private struct RecordingCache {
    private var known: [Int64: (AtlasRecording, [AtlasSound])] = [:]

    mutating func get(_ id: Int64, _ path: String, _ db: Database) throws -> (AtlasRecording, [AtlasSound]) {
        if let found = known[id] { return found }
        let recording = try AtlasRecording.fetchOne(db, sql: "SELECT * FROM recordings WHERE id = ?", arguments: [id])
        guard let recording else {
            throw AtlasError(.dataLoss, "\(path) is damaged: an example is in recording \(id), which is not there")
        }
        let found = (recording, try AtlasStore.sounds(of: id, db))
        known[id] = found
        return found
    }
}

/// The column: by side, cells of [low, high, count].
struct AtlasHistogram: AtlasRecord {
    var histogram: [String: [[Double]]]

    var cells: [AtlasHistogramCell] {
        histogram.sorted { $0.key < $1.key }.flatMap { side, cells in
            cells.compactMap { cell in
                guard cell.count == 3, let count = Int(exactly: cell[2]) else { return nil }
                return AtlasHistogramCell(side: side, low: cell[0], high: cell[1], count: count)
            }
        }
    }
}
