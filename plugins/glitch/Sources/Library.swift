import Glitch
import PluginKit

@_cdecl("auscult_plugin_types")
public func pluginTypes() { PluginLibrary.register(GlitchPlugin.self) }
