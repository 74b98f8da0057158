import Messages

extension PluginService {
    /// A request with absolute paths, those among the plugin's arguments too, which only its description tells from other
    /// texts. May block, while a plugin that has not been described yet is asked.
    func resolving(_ request: V1.RunPluginRequest, _ folder: CallerFolder) throws -> V1.RunPluginRequest {
        var request = request
        try request.resolvePaths(in: folder)
        guard request.arguments.contains(where: { !$0.value.isEmpty && !$0.value.hasPrefix("/") }) else {
            return request
        }
        let paths = Set(
            try describe(request.pluginId, first: request.pluginFolders).parameters.filter { $0.kind == "path" }.map(
                \.id))
        for index in request.arguments.indices where paths.contains(request.arguments[index].id) {
            request.arguments[index].value = try folder.absolute(request.arguments[index].value)
        }
        return request
    }
}
