import Foundation

extension TestPlugin {
    /// A plugin of this package, loaded as a bundle that is made in `folder` from its manifest and the library that was
    /// built beside the running tests.
    public static func built(_ name: String, in folder: String) throws -> TestPlugin {
        let files = FileManager.default
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let program = URL(fileURLWithPath: try files.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
        // Beside the tests where they run as a program of their own, and where swiftpm's runner has loaded them.
        let places =
            [program] + CommandLine.arguments.filter { $0.hasSuffix(".xctest") }.map(URL.init(fileURLWithPath:))
        let libraries = places.map { $0.deletingLastPathComponent().appendingPathComponent("lib\(name).so").path }
        guard let library = libraries.first(where: files.fileExists) else {
            throw TestHostError("there is no \(libraries.joined(separator: ", nor "))")
        }
        let bundle = "\(folder)/\(name)"
        // A test may load it more than once.
        guard !files.fileExists(atPath: bundle) else { return try TestPlugin(bundle: bundle) }
        try files.createDirectory(atPath: bundle, withIntermediateDirectories: true)
        try files.copyItem(
            atPath: root.appendingPathComponent("plugins/\(name)/manifest.json").path, toPath: "\(bundle)/manifest.json"
        )
        try files.createSymbolicLink(atPath: "\(bundle)/plugin.so", withDestinationPath: library)
        return try TestPlugin(bundle: bundle)
    }
}
