import Foundation
import GRDB

/// Writes one scan: the tables of a plugin as they arrive, in any order.
///
/// Each table is a transaction, and the scan is `running`, which readers pass over, until ``finish()`` makes it
/// `complete` and removes what it replaces, in one transaction more. So a process that is killed leaves the atlas with
/// the scans that it had; what it left unfinished goes when the same scan begins again. One task uses it.
public final class AtlasWriter {
    public let store: AtlasStore
    public let scan: Int64
    private let description: AtlasScanDescription
    private let place: (_ number: Int, _ name: String?) throws -> AtlasRecordingPlace?
    var known = AtlasIdentities()

    /// Begins a scan.
    /// - Parameters:
    ///   - store: opened for writing.
    ///   - place: where a recording lies, by its number and name in the plugin's tables; nil where that is not known.
    /// - Throws: ``AtlasError``.
    public init(
        _ store: AtlasStore, _ description: AtlasScanDescription,
        place: @escaping (_ number: Int, _ name: String?) throws -> AtlasRecordingPlace? = { _, _ in nil }
    ) throws {
        self.store = store
        self.description = description
        self.place = place
        scan = try store.write { db in
            try db.execute(
                sql:
                    "INSERT INTO models (name, sha256, dimensions) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET dimensions = excluded.dimensions",
                arguments: [description.model, description.modelSHA256, try Self.json(description.dimensions)])
            try db.execute(
                sql:
                    "INSERT INTO data_sets (name, recordings) VALUES (?, ?) ON CONFLICT DO UPDATE SET recordings = excluded.recordings",
                arguments: [description.dataSet, description.recordings])
            // Nobody else writes now, so whatever is running has been left.
            try db.execute(sql: "DELETE FROM scans WHERE status = 'running'")
            try db.execute(
                sql: """
                    INSERT INTO scans
                        (model_id, data_set_id, plugin, version, arguments, seed, status, started, provenance)
                    SELECT models.id, data_sets.id, ?, ?, ?, ?, 'running', ?, ? FROM models, data_sets
                    WHERE models.name = ? AND models.sha256 = ? AND data_sets.name = ?
                    """,
                arguments: [
                    description.plugin, description.version, try Self.json(description.arguments),
                    String(description.seed), Date(), try description.provenance.map(Self.json), description.model,
                    description.modelSHA256, description.dataSet,
                ])
            return db.lastInsertedRowID
        }
    }

    /// Writes a table.
    /// - Returns: false for a table that an atlas has no place for.
    /// - Throws: ``AtlasError``: `dataLoss` for a table that is not as it should be, of which then nothing is written.
    @discardableResult
    public func take(_ table: AtlasTable) throws -> Bool {
        guard let write = Self.tables[table.name] else { return false }
        // Ids of rows that are rolled back must not be remembered.
        let before = known
        do {
            try store.write { db in try write(self)(table, db) }
        } catch {
            known = before
            throw error
        }
        return true
    }

    /// Notes a recording that was left out.
    public func problem(recording: String, reason: String) throws {
        try store.write { db in
            try db.execute(
                sql: "INSERT INTO problems (scan_id, recording, reason) VALUES (?, ?, ?)",
                arguments: [scan, recording, reason])
        }
    }

    /// Makes the scan complete: from here on readers see it, and no longer what it replaces: the features of the same
    /// hook points of earlier scans by the same plugin of the same model and data set, made of the same
    /// (``AtlasScanDescription/makers``).
    /// - Throws: ``AtlasError`` (`dataLoss`) where tables name features or recordings that none describes, or none came.
    @discardableResult
    public func finish() throws -> AtlasScanDetail {
        try known.checkComplete()
        try store.write { db in
            for old in try replaced(db) {
                try db.execute(
                    sql: """
                        DELETE FROM features WHERE scan_id = :old
                        AND hook IN (SELECT DISTINCT hook FROM features WHERE scan_id = :scan)
                        """, arguments: ["old": old, "scan": scan])
                try db.execute(
                    sql: """
                        DELETE FROM scans WHERE id = :old
                        AND NOT EXISTS (SELECT 1 FROM features WHERE features.scan_id = :old)
                        """, arguments: ["old": old])
            }
            try db.execute(
                sql: "DELETE FROM models WHERE id NOT IN (SELECT model_id FROM scans)")
            try db.execute(sql: "DELETE FROM data_sets WHERE id NOT IN (SELECT data_set_id FROM scans)")
            try db.execute(
                sql: "UPDATE scans SET status = 'complete', finished = ? WHERE id = ?", arguments: [Date(), scan])
        }
        try store.tidy()
        return try store.scan(scan)
    }

    /// Earlier scans whose features this one's take the place of, at the hook points of both.
    private func replaced(_ db: Database) throws -> [Int64] {
        try AtlasScan.fetchAll(
            db,
            sql: """
                SELECT old.* FROM scans AS old JOIN scans AS new ON new.id = ? WHERE old.id < new.id
                AND old.model_id = new.model_id AND old.data_set_id = new.data_set_id AND old.plugin = new.plugin
                """, arguments: [scan]
        ).filter { old in
            description.makers.allSatisfy { old.arguments[$0] == description.arguments[$0] }
        }.map(\.id)
    }

    /// Removes what has been written of the scan, unless it is complete.
    public func abandon() throws {
        try store.write { db in
            try db.execute(sql: "DELETE FROM scans WHERE id = ? AND status = 'running'", arguments: [scan])
        }
    }

    /// Whether an atlas has a place for the table of this name.
    public static func reads(_ table: String) -> Bool { tables[table] != nil }

    func located(_ number: Int, _ name: String?) throws -> AtlasRecordingPlace? { try place(number, name) }

    /// Keys in alphabetical order, so that the same is written the same.
    static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}

extension AtlasStore {
    /// Gives the room back that a replaced scan left, and lets queries know what there is.
    fileprivate func tidy() throws {
        try AtlasError.explaining(path) {
            try database.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA optimize")
                // One step a page.
                let pages = try Row.fetchCursor(db, sql: "PRAGMA incremental_vacuum")
                while try pages.next() != nil {}
                try db.checkpoint(.passive)
            }
        }
    }
}
