import Files
import PluginHost
import Whisper

/// How the results of a run are made, as its state and its results say it.
extension PluginRun {
    func header(_ model: LoadedModel, _ arguments: [PluginArgument]) throws -> PluginState.Header {
        PluginState.Header(
            version: auscultVersion, plugin: plugin.id, pluginVersion: plugin.version, arguments: arguments,
            model: model.name, vocabulary: request.model.vocabulary ?? "", modelSHA256: try model.digest(),
            precision: model.precision, dimensions: model.dimensions,
            interventions: request.interventions.map(\.description), context: request.context,
            padding: request.padding, dataSet: recordings.digest, shard: request.shard, seed: request.seed,
            recordings: recordings.recordings.count, done: 0, skipped: [])
    }
}

extension PluginState.Header {
    var provenance: Provenance {
        Provenance(
            version: version, model: model, modelSHA256: modelSHA256, precision: precision, context: context,
            padding: padding, interventions: interventions,
            recordings: RecordingSet(count: recordings, sha256: dataSet, shard: shard),
            plugin: Provenance.PluginUse(id: plugin, version: pluginVersion, arguments: arguments, seed: seed))
    }
}

extension RunEnd {
    init(
        _ header: PluginState.Header, _ results: UInt64, _ times: (engine: Duration, plugin: Duration),
        since began: ContinuousClock.Instant
    ) {
        self.init(
            recordings: header.recordings, results: results, skipped: header.skipped.count, model: header.model,
            modelSHA256: header.modelSHA256, precision: header.precision, seed: header.seed,
            time: began.duration(to: .now), engineTime: times.engine, pluginTime: times.plugin)
    }
}
