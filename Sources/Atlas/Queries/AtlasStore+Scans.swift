import Foundation
import GRDB

extension AtlasStore {
    /// All scans, those that are not complete as well; the newest first.
    public func scans() throws -> [AtlasScanDetail] {
        try read { db in
            try AtlasScan.fetchAll(db, sql: "SELECT * FROM scans ORDER BY id DESC").map { try detail($0, db) }
        }
    }

    /// - Throws: ``AtlasError`` (`notFound`).
    public func scan(_ id: Int64) throws -> AtlasScanDetail {
        try read { db in
            let scan = try AtlasScan.fetchOne(db, sql: "SELECT * FROM scans WHERE id = ?", arguments: [id])
            guard let scan else { throw AtlasError(.notFound, "\(path) has no scan \(id)") }
            return try detail(scan, db)
        }
    }

    /// The hook points of all complete scans, in the model's order.
    public func hooks() throws -> [AtlasHook] {
        try read { db in
            Self.inOrder(
                try AtlasHook.fetchAll(
                    db,
                    sql: """
                        SELECT features.scan_id, features.hook, COUNT(*) AS features FROM features
                        JOIN scans ON scans.id = features.scan_id WHERE scans.status = 'complete'
                        GROUP BY features.scan_id, features.hook
                        """))
        }
    }

    private func detail(_ scan: AtlasScan, _ db: Database) throws -> AtlasScanDetail {
        let model = try AtlasModel.fetchOne(db, sql: "SELECT * FROM models WHERE id = ?", arguments: [scan.modelId])
        let dataSet = try AtlasDataSet.fetchOne(
            db, sql: "SELECT * FROM data_sets WHERE id = ?", arguments: [scan.dataSetId])
        guard let model, let dataSet else {
            throw AtlasError(.dataLoss, "\(path) is damaged: scan \(scan.id) has no model or no data set")
        }
        let hooks = try AtlasHook.fetchAll(
            db, sql: "SELECT scan_id, hook, COUNT(*) AS features FROM features WHERE scan_id = ? GROUP BY hook",
            arguments: [scan.id])
        return AtlasScanDetail(
            scan: scan, model: model, dataSet: dataSet, hooks: Self.inOrder(hooks),
            selective: try AtlasSelective.fetchAll(
                db, sql: "SELECT * FROM selective WHERE scan_id = ? ORDER BY hook", arguments: [scan.id]),
            problems: try AtlasProblem.fetchAll(
                db, sql: "SELECT * FROM problems WHERE scan_id = ? ORDER BY recording", arguments: [scan.id]))
    }

    /// The encoder before the decoder, block 2 before block 10.
    private static func inOrder(_ hooks: [AtlasHook]) -> [AtlasHook] {
        hooks.sorted { left, right in
            if left.scanId != right.scanId { return left.scanId > right.scanId }
            let isEncoder = (left.hook.hasPrefix("encoder."), right.hook.hasPrefix("encoder."))
            if isEncoder.0 != isEncoder.1 { return isEncoder.0 }
            return left.hook.compare(right.hook, options: [.numeric]) == .orderedAscending
        }
    }
}
