import PluginKit
import WindowSweep

@_cdecl("auscult_plugin_types")
public func pluginTypes() { PluginLibrary.register(WindowSweepPlugin.self) }
