import Files
import Messages
import PluginHost
import Whisper

/// How the results of a run are made, as its state and its results say it.
extension PluginRun {
    /// Windows are a trace's, and padded as a trace's are.
    var padding: WindowPadding { get throws { try WindowPadding(request.padding) ?? .sound } }

    func header(_ model: LoadedModel, _ arguments: [V1.PluginArgument]) throws -> PluginState.Header {
        PluginState.Header(
            version: auscultVersion, plugin: plugin.id, pluginVersion: plugin.version,
            arguments: arguments.map { .init(id: $0.id, value: $0.value) }, model: model.name,
            vocabulary: request.model?.vocabulary ?? "", modelSHA256: try model.digest(), precision: model.precision,
            dimensions: model.dimensions, interventions: interventions.map(\.description),
            context: try EncoderContext(request.context), padding: try padding, dataSet: recordings.digest,
            shard: request.shard.map { .init(index: $0.index, count: $0.count) }, seed: request.seed,
            recordings: recordings.recordings.count, done: 0, skipped: [])
    }
}

extension V1.PluginEnd {
    init(
        _ header: PluginState.Header, _ results: UInt64, _ times: (engine: Duration, plugin: Duration),
        since began: ContinuousClock.Instant
    ) {
        self.init(
            recordings: UInt64(clamping: header.recordings), results: results,
            skipped: UInt64(clamping: header.skipped.count), model: header.model, modelSha256: header.modelSHA256,
            seed: header.seed, seconds: began.duration(to: .now) / .seconds(1),
            engineSeconds: times.engine / .seconds(1), pluginSeconds: times.plugin / .seconds(1),
            precision: header.precision.message)
    }
}

extension V1.Provenance {
    init(_ header: PluginState.Header) {
        self.init(
            version: header.version, model: header.model, modelSha256: header.modelSHA256,
            precision: header.precision.message, context: header.context == .auto ? .auto : .full,
            padding: header.padding.message, interventions: header.interventions,
            recordings: V1.RecordingSet(
                count: UInt64(clamping: header.recordings), sha256: header.dataSet,
                shard: header.shard.map { V1.Shard(index: $0.index, count: $0.count) }),
            plugin: V1.PluginUse(
                id: header.plugin, version: header.pluginVersion,
                arguments: header.arguments.map { V1.PluginArgument(id: $0.id, value: $0.value) }, seed: header.seed))
    }
}
