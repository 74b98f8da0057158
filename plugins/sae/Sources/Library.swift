import PluginKit
import SparseAutoencoders

@_cdecl("auscult_plugin_types")
public func pluginTypes() { PluginLibrary.register(SparseAutoencoderPlugin.self) }
