import Kernels
import Messages

extension V1.Provenance {
    init(_ provenance: Provenance) {
        self.init(
            version: provenance.version, model: provenance.model, modelSha256: provenance.modelSHA256,
            precision: provenance.precision.message, context: provenance.context.message,
            padding: provenance.padding.message, interventions: provenance.interventions,
            recordings: provenance.recordings.map(V1.RecordingSet.init),
            plugin: provenance.plugin.map {
                V1.PluginUse(
                    id: $0.id, version: $0.version, arguments: $0.arguments.map(V1.PluginArgument.init), seed: $0.seed)
            })
    }
}

extension Provenance {
    /// - Throws: ``ServiceError`` (`invalidArgument`) for numbers that mean nothing.
    init(_ message: V1.Provenance) throws {
        self.init(
            version: message.version, model: message.model, modelSHA256: message.modelSha256,
            precision: try Precision(message.precision), context: try EncoderContext(message.context),
            padding: try WindowPadding(message.padding) ?? .sound, interventions: message.interventions,
            recordings: message.recordings.map {
                RecordingSet(count: Int(clamping: $0.count), sha256: $0.sha256, shard: $0.shard.map(Shard.init))
            },
            plugin: message.plugin.map {
                PluginUse(
                    id: $0.id, version: $0.version, arguments: $0.arguments.map(PluginArgument.init), seed: $0.seed)
            })
    }
}

extension V1.RecordingSet {
    init(_ set: RecordingSet) {
        self.init(count: UInt64(clamping: set.count), sha256: set.sha256, shard: set.shard.map(V1.Shard.init))
    }
}

extension V1.Shard {
    init(_ shard: Shard) { self.init(index: shard.index, count: shard.count) }
}

extension Shard {
    init(_ message: V1.Shard) { self.init(index: message.index, count: message.count) }
}

extension V1.PluginArgument {
    init(_ argument: PluginArgument) { self.init(id: argument.id, value: argument.value) }
}

extension PluginArgument {
    init(_ message: V1.PluginArgument) { self.init(id: message.id, value: message.value) }
}
