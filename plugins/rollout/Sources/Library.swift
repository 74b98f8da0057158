import PluginKit
import Rollout

@_cdecl("auscult_plugin_types")
public func pluginTypes() { PluginLibrary.register(RolloutPlugin.self) }
