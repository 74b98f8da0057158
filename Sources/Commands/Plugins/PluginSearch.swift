import Files
import Foundation
import Messages

/// Which plugin a command means, and where its own environment looks for plugins: the daemon that serves it may have been
/// started with another.
enum PluginSearch {
    /// The folders of `$AUSCULT_PLUGIN_PATH`, by their whole paths.
    static var folders: [String] {
        (ProcessInfo.processInfo.environment["AUSCULT_PLUGIN_PATH"] ?? "").split(separator: ":")
            .map { absolutePath(String($0)) }
    }

    /// What the daemon is asked for: an id as it is, a bundle's folder by its whole path. Ids have no slash.
    static func name(_ argument: String) -> String {
        argument.contains("/") || argument == "." || argument == ".." ? absolutePath(argument) : argument
    }
}

extension V1.DescribePluginRequest {
    /// What is asked of the plugin that the argument of a command names.
    init(plugin argument: String) { self.init(id: PluginSearch.name(argument), folders: PluginSearch.folders) }
}
