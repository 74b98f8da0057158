import ArgumentParser
import Client
import Files
import Messages

/// What a plugin may do beside what its arguments name.
struct PluginPermissionOptions: ParsableArguments {
    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "Allow the plugin read=PATH, write=PATH or network, beside what its arguments name; may be repeated.",
            valueName: "right"))
    var allow: [String] = []
    @Flag(help: "Run the plugin unconfined: it may do what you may.") var unconfined = false

    func validate() throws { _ = try message }

    /// nil where nothing is allowed.
    var message: V1.PluginPermissions? {
        get throws {
            guard unconfined || !allow.isEmpty else { return nil }
            var permissions = V1.PluginPermissions(unconfined: unconfined)
            for one in allow {
                let parts = one.split(separator: "=", maxSplits: 1).map(String.init)
                switch (parts.first, parts.count) {
                case ("read", 2): permissions.read.append(absolutePath(parts[1]))
                case ("write", 2): permissions.write.append(absolutePath(parts[1]))
                case ("network", 1) where one == "network": permissions.network = true
                default:
                    throw ValidationError("--allow takes read=PATH, write=PATH or network; not '\(one)'.")
                }
            }
            return permissions
        }
    }
}
