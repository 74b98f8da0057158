import Files
import Foundation

/// Where `auscult-plugin-host` lies.
package enum HostExecutable {
    static let name = "auscult-plugin-host"

    /// `$AUSCULT_PLUGIN_HOST`, else beside the running program, else `<prefix>/libexec/auscult`.
    /// - Throws: ``PluginError`` (`system`).
    static func path(environment: [String: String] = ProcessInfo.processInfo.environment) throws -> String {
        if let named = environment["AUSCULT_PLUGIN_HOST"], !named.isEmpty { return named }
        let folder = programFolder()
        let places = ["\(folder)/\(name)", "\(folder)/../libexec/auscult/\(name)"]
        for place in places where access(place, X_OK) == 0 { return place }
        throw PluginError(
            .system,
            "the program that hosts plugins is not there: neither \(places.joined(separator: " nor ")), and "
                + "$AUSCULT_PLUGIN_HOST names none")
    }

    /// The folder of the running program, symbolic links resolved.
    package static func programFolder() -> String {
        let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return (program as NSString).deletingLastPathComponent
    }

    /// What a plugin's process may see of our environment: where things are, and nothing that is a secret.
    static func environment(_ own: [String: String] = ProcessInfo.processInfo.environment) -> [String] {
        let passed = [
            "HOME", "PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH",
            // Which kernels run, on how many threads: a plugin's are the daemon's.
            "AUSCULT_KERNELS", "AUSCULT_THREADS", "OPENBLAS_CORETYPE",
        ]
        return passed.compactMap { name in own[name].map { "\(name)=\($0)" } }
            // The backtracer can take minutes over a crash, and would see what the plugin saw.
            + ["SWIFT_BACKTRACE=enable=no", "OPENBLAS_NUM_THREADS=1", "OMP_NUM_THREADS=1"]
    }
}
