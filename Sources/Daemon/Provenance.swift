import Kernels

/// How a result was made: enough to make it again.
struct Provenance: Codable, Sendable, Equatable {
    /// Of auscult.
    var version: String
    var model: String
    var modelSHA256: String
    var precision: Precision
    var context: EncoderContext
    var padding: WindowPadding
    /// In their text form, in the order in which they are applied.
    var interventions: [String]
    /// Nil for what was made of a single recording that the result names itself.
    var recordings: RecordingSet?
    /// Nil for what no plugin made.
    var plugin: PluginUse?

    struct PluginUse: Codable, Sendable, Equatable {
        var id: String
        var version: String
        /// All of its parameters, those that were left at their default too.
        var arguments: [PluginArgument]
        var seed: UInt64
    }
}

/// The recordings that something was made from.
struct RecordingSet: Codable, Sendable, Equatable {
    /// Of this run; of a shard, those of the shard.
    var count: Int
    /// Of the list with all that is known about each recording but its sound: the same for all shards.
    var sha256: String
    /// Nil for all of them.
    var shard: Shard?
}

/// A part of the recordings: those whose number, modulo ``count``, is ``index``.
struct Shard: Codable, Sendable, Equatable {
    var index: UInt32
    var count: UInt32
}
