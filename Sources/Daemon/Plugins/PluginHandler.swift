import Messages
import Wire

/// The analyses. No plugin host is there yet, so there are none to list.
struct PluginHandler {
    var methods: [ServerMethod] {
        [
            V1.PluginRPC.list.handle { _, _ in V1.PluginList() },
            V1.PluginRPC.describe.handle { request, _ in throw absent(request.id) },
            V1.PluginRPC.run.handle { request, _, _ in throw absent(request.pluginId) },
        ]
    }

    private func absent(_ id: String) -> WireError {
        WireError(.notFound, "no plugin is called \(id); this daemon has none", reason: "not_found")
    }
}
