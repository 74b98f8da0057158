import DataSets

/// A recording as a run or a list tells of it.
struct RecordingInfo: Sendable, Equatable {
    /// A part of a recording, in seconds; without an end, as far as there is something.
    struct Span: Sendable, Equatable {
        var start: Double
        var end: Double?
    }

    /// From 0, in the order of the run; the same in every shard.
    var number: Int
    /// What results call it.
    var name: String
    /// Where somebody else finds its sound; nil for what only this call has.
    var source: DataSetItem.Source?
    /// The part that is meant; nil for all of it.
    var span: Span?
    /// Of the bytes that its sound lies in.
    var sha256: String
    /// Seconds that were heard; 0 in a list.
    var duration = 0.0
    /// Its columns: language, speaker and text first.
    var labels: [DataSetItem.Label] = []
    /// In lists that read alignments only.
    var phonemes: [TimedLabel] = []
    var words: [TimedLabel] = []
}
