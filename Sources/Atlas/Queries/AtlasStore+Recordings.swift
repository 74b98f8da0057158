import GRDB

extension AtlasStore {
    /// A recording with what is heard in it, and the features that have it among their strongest examples.
    /// - Throws: ``AtlasError`` (`notFound`).
    public func recording(_ id: Int64) throws -> AtlasRecordingDetail {
        try read { db in
            let found = try AtlasRecording.fetchOne(
                db, sql: "SELECT * FROM recordings WHERE id = ?", arguments: [id])
            guard let found else { throw AtlasError(.notFound, "\(path) has no recording \(id)") }
            let features = try AtlasRecordingFeature.fetchAll(
                db,
                sql: """
                    SELECT examples.feature_id, features.hook, features.number, examples.side, examples.rank,
                        examples.frame, examples.seconds, examples.value
                    FROM examples JOIN features ON features.id = examples.feature_id
                    WHERE examples.recording_id = ? ORDER BY examples.rank, features.hook, features.number
                    """, arguments: [id])
            return AtlasRecordingDetail(recording: found, sounds: try Self.sounds(of: id, db), features: features)
        }
    }

    /// The recordings of a scan by their numbers.
    public func recordings(scan: Int64) throws -> [AtlasRecording] {
        try read { db in
            try AtlasRecording.fetchAll(
                db, sql: "SELECT * FROM recordings WHERE scan_id = ? ORDER BY number", arguments: [scan])
        }
    }

    static func sounds(of recording: Int64, _ db: Database) throws -> [AtlasSound] {
        try AtlasSound.fetchAll(
            db, sql: "SELECT * FROM sounds WHERE recording_id = ? ORDER BY start, \"end\", kind, label",
            arguments: [recording])
    }
}
