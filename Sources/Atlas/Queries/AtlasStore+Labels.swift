import GRDB

extension AtlasStore {
    /// The kinds of labels that features of complete scans have, in their alphabet's order.
    public func labelKinds() throws -> [String] {
        try read { db in
            // Kinds are few, and the first label of each that is in a complete scan is soon found.
            try String.fetchAll(db, sql: "SELECT DISTINCT kind FROM labels ORDER BY kind").filter { kind in
                try Int.fetchOne(
                    db,
                    sql: """
                        SELECT 1 FROM labels CROSS JOIN features ON features.id = labels.feature_id
                        CROSS JOIN scans ON scans.id = features.scan_id
                        WHERE labels.kind = ? AND scans.status = 'complete' LIMIT 1
                        """, arguments: [kind]) != nil
            }
        }
    }
}

extension AtlasStore {
    /// The labels of many features at once, by feature; the best of each first.
    public func labels(of features: [Int64]) throws -> [Int64: [AtlasLabel]] {
        let wanted = Set(features)
        return try read { db in
            var found: [Int64: [AtlasLabel]] = [:]
            let all = try AtlasLabel.fetchCursor(
                db, sql: "SELECT * FROM labels ORDER BY feature_id, precision DESC, label, kind, side")
            while let label = try all.next() {
                if wanted.contains(label.featureId) { found[label.featureId, default: []].append(label) }
            }
            return found
        }
    }
}
