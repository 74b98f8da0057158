import PluginKit
import SpeakersAndNoise

@_cdecl("auscult_plugin_types")
public func pluginTypes() { PluginLibrary.register(SpeakersAndNoisePlugin.self) }
