import Foundation

extension TestPlugin {
    /// A plugin of this package as it was built for these tests, put into a bundle in `folder`.
    /// - Parameter name: its folder in plugins/, "attention-stats".
    public static func built(_ name: String, in folder: String) throws -> TestPlugin {
        let files = FileManager.default
        // Libraries lie beside the test's own executable.
        let executable = URL(fileURLWithPath: try files.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
        let library = executable.deletingLastPathComponent().appendingPathComponent("lib\(name).so").path
        let manifest = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("plugins/\(name)/manifest.json").path
        let bundle = folder + "/" + name
        if !files.fileExists(atPath: bundle) {
            try files.createDirectory(atPath: bundle, withIntermediateDirectories: true)
            try files.copyItem(atPath: manifest, toPath: bundle + "/manifest.json")
            try files.createSymbolicLink(atPath: bundle + "/plugin.so", withDestinationPath: library)
        }
        return try TestPlugin(bundle: bundle)
    }
}
