import GRDB

/// Which rows stand for the things that tables name, and which of them have been described.
struct AtlasIdentities {
    struct FeatureKey: Hashable {
        var hook: String
        var number: Int
    }

    struct BinKey: Hashable {
        var feature: Int64
        var side: String
        var kind: String
        var bin: Int
    }

    private struct Entry {
        var id: Int64
        var isDescribed = false
    }

    private var features: [FeatureKey: Entry] = [:]
    private var recordings: [Int: Entry] = [:]
    private var bins: [BinKey: Entry] = [:]

    /// The row of a feature; one without statistics is made where a table names it first.
    mutating func feature(_ row: AtlasTableReader.Row, scan: Int64, _ db: Database, describes: Bool = false) throws
        -> Int64
    {
        let key = FeatureKey(hook: try row.needed(text: "hook"), number: try row.needed(integer: "feature"))
        var entry =
            try features[key]
            ?? {
                try db.cachedStatement(sql: "INSERT INTO features (scan_id, hook, number) VALUES (?, ?, ?)")
                    .execute(arguments: [scan, key.hook, key.number])
                return Entry(id: db.lastInsertedRowID)
            }()
        if describes {
            guard !entry.isDescribed else { throw row.error("feature", expected: "each feature of a hook point once") }
            entry.isDescribed = true
        }
        features[key] = entry
        return entry.id
    }

    mutating func recording(
        _ row: AtlasTableReader.Row, scan: Int64, _ db: Database, describes: Bool = false
    ) throws -> Int64 {
        let number = try row.needed(integer: "recording")
        var entry =
            try recordings[number]
            ?? {
                try db.cachedStatement(sql: "INSERT INTO recordings (scan_id, number) VALUES (?, ?)")
                    .execute(arguments: [scan, number])
                return Entry(id: db.lastInsertedRowID)
            }()
        if describes {
            guard !entry.isDescribed else { throw row.error("recording", expected: "each recording once") }
            entry.isDescribed = true
        }
        recordings[number] = entry
        return entry.id
    }

    mutating func bin(
        _ row: AtlasTableReader.Row, of feature: Int64, kind: String? = nil, _ db: Database, describes: Bool = false
    ) throws -> Int64 {
        let kind = try kind ?? row.needed(text: "kind")
        let key = BinKey(feature: feature, side: try row.side(), kind: kind, bin: try row.needed(integer: "bin"))
        var entry =
            try bins[key]
            ?? {
                try db.cachedStatement(sql: "INSERT INTO bins (feature_id, side, kind, bin) VALUES (?, ?, ?, ?)")
                    .execute(arguments: [feature, key.side, key.kind, key.bin])
                return Entry(id: db.lastInsertedRowID)
            }()
        if describes {
            guard !entry.isDescribed else { throw row.error("bin", expected: "each bin of a feature once") }
            entry.isDescribed = true
        }
        bins[key] = entry
        return entry.id
    }

    /// - Throws: ``AtlasError`` (`dataLoss`) for what tables name and none describes.
    func checkComplete() throws {
        guard !features.isEmpty else { throw AtlasError(.dataLoss, "no table 'features' came, or it is empty") }
        if let missing = features.filter({ !$0.value.isDescribed }).keys.min(by: {
            ($0.hook, $0.number) < ($1.hook, $1.number)
        }) {
            throw AtlasError(
                .dataLoss,
                "tables name the feature \(missing.number) of \(missing.hook), which the table 'features' does not have"
            )
        }
        if let missing = recordings.filter({ !$0.value.isDescribed }).keys.min() {
            throw AtlasError(
                .dataLoss, "tables name the recording \(missing), which the table 'recordings' does not have")
        }
        if let missing = bins.first(where: { !$0.value.isDescribed })?.key {
            throw AtlasError(
                .dataLoss,
                "tables name the bin \(missing.bin) (\(missing.kind), \(missing.side)), which the table 'bins' does not have"
            )
        }
    }
}
