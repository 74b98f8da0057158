/// What one feature listens to, of one kind.
struct FeatureLabel: Sendable {
    let feature: Int
    /// 1, or −1.
    let sign: Float
    let kind: String
    let label: String
    /// The activation beyond which the feature listens.
    let threshold: Double
    /// In frames of 20 ms: how long the activation comes behind the sound.
    let lag: Int
    // Of the scoring split.
    let averagePrecision, precisionAtRecall: Double
    let precision, recall, f1, areaUnderCurve, mutualInformation, selectivity, pValue: Double
    /// The share of frames that have the label: the precision of a feature that fires at random.
    let base: Double
    /// The precision over that.
    let lift: Double
    /// Sampled frames above the threshold, on each split.
    let namedFrames, scoredFrames: Int
    let namedPrecision: Double
}
