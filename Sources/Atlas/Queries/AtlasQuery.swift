/// Which features are wanted, and in which order.
public struct AtlasQuery: Sendable, Hashable {
    public enum Sort: String, Sendable, CaseIterable, Codable {
        /// The share of frames where it is above zero.
        case density
        /// Those of the label that it is listed with.
        case precision, lift, selectivity, auc, f1, ap
        case precisionAtRecall = "precision_at_recall"
        /// The largest value.
        case maximum
        /// The label that it is listed with, in its alphabet's order.
        case label
        /// By hook point and number.
        case number
    }

    /// Words, each of which must be in the name or the hook point, begin one of its labels, or be its number.
    public var search: String = ""
    /// A hook point; nil for all.
    public var hook: String?
    /// A scan; nil for all that are complete.
    public var scan: Int64?
    /// Only features with this label, which is then the one that they are listed with; in any letters or alphabet.
    public var label: String?
    /// The kind of label that features are listed with, "phoneme", "word", …; nil for any.
    public var kind: String?
    /// Only features with a label of at least this lift, which is then the one that they are listed with; nil for any, and
    /// for those without a label. Labels of older atlases have no lift.
    public var lift: Double?
    public var sort: Sort = .number
    /// The largest first, but for numbers and labels; nil for that.
    public var ascending: Bool?
    /// From 0.
    public var page: Int = 0
    public var pageSize: Int = 50

    public init() {}
}

/// A page of a list of features.
public struct AtlasFeatureList: Codable, Sendable, Hashable {
    /// On all pages.
    public var total: Int
    public var page: Int
    public var pageSize: Int
    public var rows: [AtlasFeatureRow]
}
