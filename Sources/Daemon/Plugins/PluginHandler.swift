import Messages
import Wire

/// The analyses. No plugin host is there yet, so there are none to list.
struct PluginHandler {
    var methods: [ServerMethod] {
        [
            V1.PluginRPC.list.handle { _, _ in V1.PluginList() },
            V1.PluginRPC.describe.handle { request, _ in throw absent(request.id) },
            V1.PluginRPC.run.handle { request, _, _ in throw absent(request.pluginId) },
            V1.PluginRPC.merge.handle { (_: V1.MergePluginRequest, _, _) in throw unhosted() },
            V1.PluginRPC.validate.handle { (_: V1.ValidatePluginRequest, _, _) in throw unhosted() },
        ]
    }

    private func unhosted() -> WireError {
        WireError(.unimplemented, "this daemon hosts no plugins", reason: "unimplemented")
    }

    private func absent(_ id: String) -> WireError {
        WireError(.notFound, "no plugin is called \(id); this daemon has none", reason: "not_found")
    }
}
