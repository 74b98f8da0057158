import PluginKit
import Settling

@_cdecl("auscult_plugin_types")
public func pluginTypes() { PluginLibrary.register(SettlingPlugin.self) }
