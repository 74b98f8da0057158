import ArgumentParser
import Client
import Messages

/// The arguments of a plugin, as `-p key=value`.
struct PluginArgumentOptions: ParsableArguments {
    @Option(
        name: .customShort("p"), parsing: .singleValue,
        help: ArgumentHelp("An argument of the plugin; may be repeated.", valueName: "key=value"))
    var arguments: [String] = []

    func validate() throws { _ = try messages }

    var messages: [V1.PluginArgument] {
        get throws {
            try arguments.map { argument in
                guard let equals = argument.firstIndex(of: "="), equals != argument.startIndex else {
                    throw ValidationError("-p takes key=value, as in -p k=20; not '\(argument)'.")
                }
                return V1.PluginArgument(
                    id: String(argument[..<equals]), value: String(argument[argument.index(after: equals)...]))
            }
        }
    }

    /// The arguments as the plugin takes them: paths, which its process would read from another folder, are made absolute.
    func messages(for plugin: String, _ daemon: DaemonConnection) async throws -> [V1.PluginArgument] {
        guard try !messages.isEmpty else { return [] }
        return try messages(
            for: await daemon.call(V1.PluginRPC.describe, V1.DescribePluginRequest(plugin: plugin)))
    }

    /// The same, where the plugin's description is known.
    func messages(for description: V1.PluginDescription) throws -> [V1.PluginArgument] {
        let paths = Set(description.parameters.filter { $0.kind == "path" }.map(\.id))
        return try messages.map { argument in
            guard paths.contains(argument.id) else { return argument }
            return V1.PluginArgument(id: argument.id, value: absolutePath(argument.value))
        }
    }
}
