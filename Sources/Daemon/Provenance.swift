import Files
import Kernels

/// How a result was made: enough to make it again.
struct Provenance: Sendable, Equatable {
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

    struct PluginUse: Sendable, Equatable {
        var id: String
        var version: String
        /// All of its parameters, those that were left at their default too.
        var arguments: [PluginArgument]
        var seed: UInt64
    }
}

/// The recordings that something was made from.
struct RecordingSet: Sendable, Equatable {
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

/// As in results.json: the same words wherever it is written.
extension Provenance: Encodable {
    private enum Key: String, CodingKey {
        case auscult, model, precision, context, padding, interventions, recordings, plugin
        case modelSHA256 = "model_sha256"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(version, forKey: .auscult)
        try container.encode(model, forKey: .model)
        try container.encode(modelSHA256, forKey: .modelSHA256)
        try container.encode(precision, forKey: .precision)
        try container.encode(context, forKey: .context)
        try container.encode(padding, forKey: .padding)
        try container.encode(interventions, forKey: .interventions)
        try container.encode(recordings, forKey: .recordings)
        try container.encode(plugin, forKey: .plugin)
    }
}

extension RecordingSet: Encodable {
    private enum Key: String, CodingKey { case count, sha256, shard }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(count, forKey: .count)
        try container.encode(sha256.nonEmpty, forKey: .sha256)
        try container.encode(shard, forKey: .shard)
    }
}

extension Provenance.PluginUse: Encodable {
    private enum Key: String, CodingKey { case id, version, arguments, seed }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(id, forKey: .id)
        try container.encode(version, forKey: .version)
        try container.encode(Dictionary(arguments.map { ($0.id, $0.value) }) { $1 }, forKey: .arguments)
        try container.encode(seed, forKey: .seed)
    }
}

extension Provenance {
    /// Of a trace, whose recording it names itself.
    init(_ summary: TraceSummary, _ request: TraceRequest) {
        self.init(
            version: auscultVersion, model: summary.model, modelSHA256: summary.digest, precision: summary.precision,
            context: request.context, padding: summary.padding,
            interventions: request.interventions.map(\.description))
    }
}
