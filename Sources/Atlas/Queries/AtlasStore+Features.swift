import GRDB

extension AtlasStore {
    /// A page of the features that `query` asks for, with how many there are on all pages.
    /// - Throws: ``AtlasError``: `invalidArgument` for a page before the first or of no size; `notFound` for a label that
    ///   no feature has.
    public func features(_ query: AtlasQuery) throws -> AtlasFeatureList {
        guard query.page >= 0, (1...10_000).contains(query.pageSize),
            let offset = Optional(query.page.multipliedReportingOverflow(by: query.pageSize)), !offset.overflow
        else {
            throw AtlasError(
                .invalidArgument,
                "there is no page \(query.page) of \(query.pageSize) features; pages count from 0, of 1 to 10000 features"
            )
        }
        let meant = try query.label.map { try self.labels(meantBy: $0, hook: query.hook, kind: query.kind) }
        let parts = FeatureQuery(query, labels: meant)
        return try read { db in
            let total =
                try Int.fetchOne(db, sql: parts.count, arguments: parts.arguments) ?? 0
            let rows = try ListedFeature.fetchAll(
                db, sql: parts.rows(query.pageSize, from: offset.partialValue), arguments: parts.arguments)
            return AtlasFeatureList(
                total: total, page: query.page, pageSize: query.pageSize, rows: rows.map(\.row))
        }
    }

    /// The labels of all complete scans with how many features have them, most first.
    public func labels(hook: String? = nil, kind: String? = nil) throws -> [AtlasLabelCount] {
        try read { db in
            try AtlasLabelCount.fetchAll(
                db,
                sql: """
                    SELECT labels.kind, labels.label, COUNT(DISTINCT labels.feature_id) AS features
                    FROM labels JOIN features ON features.id = labels.feature_id
                    JOIN scans ON scans.id = features.scan_id
                    WHERE scans.status = 'complete' AND (:hook IS NULL OR features.hook = :hook)
                        AND (:kind IS NULL OR labels.kind = :kind)
                    GROUP BY labels.kind, labels.label ORDER BY features DESC, labels.kind, labels.label
                    """, arguments: ["hook": hook, "kind": kind])
        }
    }
}

/// A label with how many features have it.
public struct AtlasLabelCount: AtlasRecord {
    public var kind: String
    public var label: String
    public var features: Int
}

/// A query as SQL.
///
/// What features are counted, chosen and sorted by lies in two indexes, `features_listed` and `labels_listed`; only those
/// of the page asked for are read whole. The first index is named, as SQLite would rather make one for each query.
private struct FeatureQuery {
    var arguments = StatementArguments()
    private let tables = "scans CROSS JOIN features INDEXED BY features_listed ON features.scan_id = scans.id"
    private var conditions: [String] = []
    /// What a label has to be, to be the one that a feature is listed with.
    private var wanted = ""
    /// What features are sorted by before hook point and number; nil for nothing.
    private var value: String?
    private var direction = ""
    private var order = ""

    private var selection: String { "FROM \(tables) WHERE \(conditions.joined(separator: " AND "))" }

    var count: String { "SELECT COUNT(*) \(selection)" }

    /// The label with the best precision, as it is called where a feature is `id`.
    private func best(_ column: String, of id: String) -> String {
        """
        (SELECT \(column) FROM labels WHERE labels.feature_id = \(id)\(wanted)
        ORDER BY labels.precision DESC, labels.label, labels.kind, labels.side LIMIT 1)
        """
    }

    func rows(_ size: Int, from offset: Int) -> String {
        // What has no value comes last either way.
        let first = value == nil ? "" : "value \(direction) NULLS LAST, "
        return """
            WITH page AS MATERIALIZED (SELECT features.id, \(value ?? "NULL") AS value \(selection)
                ORDER BY \(first)\(order) LIMIT \(size) OFFSET \(offset))
            SELECT features.id, features.scan_id, features.hook, features.number, features.name, features.frames,
                features.mean, features.variance, features.minimum, features.maximum, features.density,
                best.side, best.kind, best.label, best.threshold, best.lag, best.precision, best.recall, best.f1, best.auc,
                best.mutual_information, best.selectivity, best.p_value, best.named_frames, best.scored_frames,
                best.named_precision, best.base, best.lift, best.ap, best.precision_at_recall
            FROM page CROSS JOIN features ON features.id = page.id
            LEFT JOIN labels AS best ON best.rowid = \(best("labels.rowid", of: "page.id"))
            ORDER BY \(first)\(order)
            """
    }

    /// - Parameter labels: those that the query's label means; nil for any.
    init(_ query: AtlasQuery, labels: [String]?) {
        var wanted: [String] = []
        if let kind = query.kind {
            wanted.append("labels.kind = :kind")
            arguments += ["kind": kind]
        }
        if let labels {
            wanted.append("labels.label IN (\(labels.indices.map { ":label\($0)" }.joined(separator: ", ")))")
            for (place, label) in labels.enumerated() { arguments += ["label\(place)": label] }
        }
        if let lift = query.lift {
            // What has none is not above it.
            wanted.append("labels.lift >= :lift")
            arguments += ["lift": lift]
        }
        self.wanted = wanted.map { " AND " + $0 }.joined()
        if query.label != nil || query.lift != nil {
            conditions.append("EXISTS (SELECT 1 FROM labels WHERE labels.feature_id = features.id\(self.wanted))")
        }
        if let scan = query.scan {
            conditions.append("features.scan_id = :scan")
            arguments += ["scan": scan]
        } else {
            conditions.append("scans.status = 'complete'")
        }
        if let hook = query.hook {
            conditions.append("features.hook = :hook")
            arguments += ["hook": hook]
        }
        for (place, word) in query.search.split(whereSeparator: \.isWhitespace).prefix(16).enumerated() {
            search(for: String(word), "word\(place)")
        }
        order(by: query)
    }

    private mutating func search(for word: String, _ argument: String) {
        let pattern = word.map { "%_\\".contains($0) ? "\\\($0)" : "\($0)" }.joined()
        arguments += [argument: "%\(pattern)%", argument + "b": "\(pattern)%"]
        var ways = [
            "features.name LIKE :\(argument) ESCAPE '\\'", "features.hook LIKE :\(argument) ESCAPE '\\'",
            """
            features.id IN (SELECT feature_id FROM labels WHERE labels.label LIKE :\(argument)b ESCAPE '\\')
            """,
        ]
        if let number = Int64(word.hasPrefix("#") ? String(word.dropFirst()) : word) {
            ways.append("features.number = \(number)")
        }
        conditions.append("(" + ways.joined(separator: " OR ") + ")")
    }

    private mutating func order(by query: AtlasQuery) {
        direction = (query.ascending ?? [.number, .label].contains(query.sort)) ? "ASC" : "DESC"
        value =
            switch query.sort {
            case .number: nil
            case .density: "features.density"
            case .maximum: "features.maximum"
            case .precision, .lift, .selectivity, .auc, .f1, .ap, .precisionAtRecall, .label:
                best("labels.\(query.sort.rawValue)", of: "features.id")
            }
        let last = query.sort == .number ? direction : "ASC"
        order = "features.hook \(last), features.number \(last), features.id \(last)"
    }
}

/// A row as it comes out of a list's query.
private struct ListedFeature: AtlasRecord {
    var id: Int64
    var scanId: Int64
    var hook: String
    var number: Int
    var name: String
    var frames: Int?
    var mean: Double?
    var variance: Double?
    var minimum: Double?
    var maximum: Double?
    var density: Double?
    var side: String?
    var kind: String?
    var label: String?
    var threshold: Double?
    var lag: Int?
    var precision: Double?
    var recall: Double?
    var f1: Double?
    var auc: Double?
    var mutualInformation: Double?
    var selectivity: Double?
    var pValue: Double?
    var namedFrames: Int?
    var scoredFrames: Int?
    var namedPrecision: Double?
    var base: Double?
    var lift: Double?
    var ap: Double?
    var precisionAtRecall: Double?

    var row: AtlasFeatureRow {
        let feature = AtlasFeature(
            id: id, scanId: scanId, hook: hook, number: number, name: name, frames: frames, mean: mean,
            variance: variance, minimum: minimum, maximum: maximum, density: density)
        guard let side, let kind, let label else { return AtlasFeatureRow(feature: feature, label: nil) }
        return AtlasFeatureRow(
            feature: feature,
            label: AtlasLabel(
                featureId: id, side: side, kind: kind, label: label, threshold: threshold, lag: lag,
                precision: precision, recall: recall, f1: f1, auc: auc, mutualInformation: mutualInformation,
                selectivity: selectivity, pValue: pValue, namedFrames: namedFrames, scoredFrames: scoredFrames,
                namedPrecision: namedPrecision, base: base, lift: lift, ap: ap, precisionAtRecall: precisionAtRecall))
    }
}
