/// A feature: a neuron, a direction, a dictionary's latent.
public struct AtlasFeature: AtlasRecord, Identifiable {
    public var id: Int64
    public var scanId: Int64
    public var hook: String
    /// Its place at the hook point, from 0.
    public var number: Int
    /// A direction's or a latent's; empty for a neuron.
    public var name: String
    /// Valid frames that were seen.
    public var frames: Int?
    public var mean: Double?
    public var variance: Double?
    public var minimum: Double?
    public var maximum: Double?
    /// The share of valid frames where it is above zero.
    public var density: Double?
}

/// What a feature was found to say, and how well that holds on other speakers.
public struct AtlasLabel: AtlasRecord {
    public var featureId: Int64
    public var side: String
    /// "phoneme", "word", "speaker", "language", or a column.
    public var kind: String
    public var label: String
    public var threshold: Double?
    /// Frames by which the activation follows the sound.
    public var lag: Int?
    public var precision: Double?
    public var recall: Double?
    public var f1: Double?
    public var auc: Double?
    /// Bits.
    public var mutualInformation: Double?
    public var selectivity: Double?
    public var pValue: Double?
    public var namedFrames: Int?
    public var scoredFrames: Int?
    /// The precision on the recordings that it was named by.
    public var namedPrecision: Double?
    /// The label's share of all frames of the recordings that it was scored by: the precision of a feature that fires at
    /// random. Nil in what was scanned before it was kept.
    public var base: Double?
    /// The precision over that; nil as ``base`` is.
    public var lift: Double?
    /// Average precision over all thresholds; its chance level is ``base``. Nil in what was scanned before it was kept.
    public var ap: Double?
    /// The precision where the feature has found the same share of the label as every other; nil as ``ap`` is.
    public var precisionAtRecall: Double?
}

extension AtlasLabel {
    /// A lag is counted in encoder frames.
    static let secondsOfLag = 0.02
}

extension [AtlasLabel] {
    /// By how many frames a side of a feature follows what it answers to: the lag of its most precise label.
    func lag(of side: String) -> Int {
        filter { $0.side == side && $0.lag != nil }.max { ($0.precision ?? 0) < ($1.precision ?? 0) }?.lag ?? 0
    }
}

/// A feature's statistics over the recordings where a column has a value.
public struct AtlasColumn: AtlasRecord {
    public var featureId: Int64
    public var column: String
    public var value: String
    public var frames: Int?
    public var mean: Double?
    public var variance: Double?
    public var maximum: Double?
    public var density: Double?
}

/// A cell of the exact histogram: `count` frames with values in [low, high).
public struct AtlasHistogramCell: Codable, Sendable, Hashable {
    public var side: String
    public var low: Double
    public var high: Double
    public var count: Int
}

/// A row of a list of features: the feature, and the label that it is listed with.
public struct AtlasFeatureRow: Codable, Sendable, Hashable {
    public var feature: AtlasFeature
    /// The one that was asked for, or the feature's best; nil where it has none.
    public var label: AtlasLabel?
}
