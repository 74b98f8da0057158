import Kernels
import Messages
import PluginHost
import Whisper

// A plugin's process speaks in messages: here they become the daemon's own values.

/// A plugin in a process of its own.
final class PluginProcessRunner: PluginRunner {
    private let plugin: PluginProcess

    init(
        _ bundle: PluginBundle, limits: PluginLimits, services: any PluginServices, quarantine: PluginQuarantine?,
        _ outlet: PluginOutlet
    ) throws {
        plugin = try PluginProcess.start(
            bundle, access: outlet.access, limits: limits, services: services, quarantine: quarantine,
            log: { outlet.log(PluginLog($0)) },
            result: { try outlet.result(PluginResult($0)) })
    }

    func describe() throws -> PluginDescription { PluginDescription(try plugin.describe()) }
    func create(arguments: [PluginArgument]) throws -> PluginNeedsValue {
        try plugin.create(arguments: arguments.map(V1.PluginArgument.init))
    }
    func activate(_ run: PluginRunValue) throws { try plugin.activate(run) }
    func process(_ clip: PluginClipValue) throws { try plugin.process(clip) }
    func stage(_ clip: PluginClipValue) throws -> @Sendable () throws -> Void { try plugin.stage(clip) }
    func finish() throws { try plugin.finish() }
    func save() throws -> [UInt8] { try plugin.save() }
    func merge(_ state: [UInt8]) throws { try plugin.merge(state) }
    func cancel() { plugin.cancel() }
    func close() { plugin.close() }
}

extension PluginAccess {
    /// To run.
    init(_ arguments: [PluginArgument], _ permissions: PluginPermissions) {
        self.init(arguments: arguments.map(V1.PluginArgument.init), permissions: permissions)
    }
}

extension PluginCatalogue {
    /// The bundles of a registry, started in processes of their own.
    static func bundles(_ registry: PluginRegistry, limits: PluginLimits = PluginLimits()) -> PluginCatalogue {
        PluginCatalogue(
            list: { registry.list(first: $0).map(PluginListing.init) },
            find: { name, first in
                let bundle = try registry.bundle(named: name, first: first)
                return FoundPlugin(id: bundle.id, version: bundle.version, library: bundle.library) {
                    services, outlet in
                    try PluginProcessRunner(
                        bundle, limits: limits, services: services, quarantine: registry.quarantine, outlet)
                }
            })
    }
}

extension PluginRunValue {
    init(
        model: String, sha256: String, precision: Precision, _ dimensions: ModelDimensions, recordings: Int,
        seed: UInt64
    ) {
        self.init(
            model: model, modelSHA256: sha256, dimensions: V1.Dimensions(dimensions),
            recordings: UInt64(clamping: recordings), seed: seed, precision: precision.rawValue)
    }
}
