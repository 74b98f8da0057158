import Atlas
import Kernels
import Messages

extension AtlasProvenance {
    init(_ provenance: Provenance) {
        self.init(
            version: provenance.version, precision: provenance.precision.rawValue,
            context: provenance.context.rawValue, padding: provenance.padding.rawValue,
            interventions: provenance.interventions, recordingsSha256: provenance.recordings?.sha256 ?? "",
            arguments: Dictionary((provenance.plugin?.arguments ?? []).map { ($0.id, $0.value) }) { $1 })
    }
}

extension V1.Provenance {
    /// How a scan was made: as it is kept, and what the scan says anyway.
    init(_ provenance: AtlasProvenance, _ scan: AtlasScanDetail) {
        self.init(
            version: provenance.version, model: scan.model.name, modelSha256: scan.model.sha256,
            precision: Precision(rawValue: provenance.precision)?.message ?? .exact,
            context: provenance.context == "auto" ? .auto : .full,
            padding: provenance.padding == "mel" ? .mel : .sound, interventions: provenance.interventions,
            recordings: V1.RecordingSet(
                count: UInt64(clamping: scan.dataSet.recordings), sha256: provenance.recordingsSha256),
            plugin: V1.PluginUse(
                id: scan.scan.plugin, version: scan.scan.version,
                arguments: provenance.arguments.sorted { $0.key < $1.key }.map {
                    V1.PluginArgument(id: $0.key, value: $0.value)
                }, seed: UInt64(scan.scan.seed) ?? 0))
    }
}
