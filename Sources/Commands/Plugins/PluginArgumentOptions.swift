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
}
