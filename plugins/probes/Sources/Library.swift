import PluginKit
import Probes

@_cdecl("auscult_plugin_types")
public func pluginTypes() { PluginLibrary.register(ProbesPlugin.self) }
