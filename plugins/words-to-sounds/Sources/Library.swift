import PluginKit
import WordsToSounds

@_cdecl("auscult_plugin_types")
public func pluginTypes() { PluginLibrary.register(WordsPlugin.self) }
