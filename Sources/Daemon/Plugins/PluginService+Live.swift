import PluginHost

extension PluginService {
    /// The plugins of a live session with absolute paths, those among their arguments too. May block, while a plugin that has not been
    /// described yet is asked which those are.
    func resolved(
        _ plugins: [LiveOptions.Plugin], _ folders: [String], absolute: (String) throws -> String
    ) throws -> [LiveOptions.Plugin] {
        try plugins.map { plugin in
            var plugin = plugin
            plugin.arguments = try arguments(plugin.arguments, of: plugin.id, folders, absolute: absolute)
            return plugin
        }
    }

    /// Starts the plugins of a live session. Blocks.
    /// - Parameters:
    ///   - running: ends them from another thread.
    ///   - name: what the sound is called, in results.
    /// - Throws: ``ServiceError``, ``PluginHost/PluginError`` where one is not there, cannot hear live sound, or goes wrong.
    func live(
        _ plugins: [LiveOptions.Plugin], _ folders: [String], model: LoadedModel, client: ClientID,
        running: RunningPlugins, name: String
    ) throws -> [LivePlugin] {
        try plugins.enumerated().map { number, wanted in
            let plugin = try catalogue.find(wanted.id, folders)
            // A turn of its own, since it outlives those of the session's steps.
            let turn = engine.queue.turn(client: client, deadline: nil)
            return try LivePlugin(
                plugin, wanted, number: number, model: model, turn: turn, folder: stateFolder(of: plugin.id),
                running: running, name: name)
        }
    }
}
