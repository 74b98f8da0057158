import Dream
import PluginKit

@_cdecl("auscult_plugin_types")
public func pluginTypes() { PluginLibrary.register(DreamPlugin.self) }
