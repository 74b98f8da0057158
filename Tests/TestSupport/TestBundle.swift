import Foundation

/// Bundles around the libraries that the package builds for tests: FaultyPlugin, which does wrong on request, NoPlugin,
/// and the analyses of plugins/.
public struct TestBundle: Sendable {
    /// Holds only the bundle's folder, so that a search path may name it.
    public let folder: TemporaryFolder
    /// The bundle's folder.
    public let path: String

    /// - Parameter fault: what goes wrong when the library is loaded; nil for a plugin that works.
    public init(
        library: String = "FaultyPlugin", id: String = "org.example.faulty", version: String = "1.0",
        fault: String? = nil
    ) throws {
        try self.init(library)
        if let fault { try fault.write(toFile: path + "/fault", atomically: true, encoding: .utf8) }
        try manifest(
            #"""
            {"id": "\#(id)", "name": "Faulty", "version": "\#(version)", "vendor": "nobody",
             "licence": "Apache-2.0", "description": "", "library": "plugin.so", "abi_major": 1}
            """#)
    }

    /// The analysis of plugins/ in the folder `analysis`, with its own manifest.
    public init(analysis: String) throws {
        try self.init(analysis)
        let plugins = URL(fileURLWithPath: Fixtures.path("")).deletingLastPathComponent().deletingLastPathComponent()
        try manifest(
            String(contentsOfFile: plugins.path + "/plugins/\(analysis)/manifest.json", encoding: .utf8))
    }

    private init(_ library: String) throws {
        folder = try TemporaryFolder()
        path = folder("bundle")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        // Libraries are built beside the tests.
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let built = (tests as NSString).deletingLastPathComponent + "/lib\(library).so"
        try FileManager.default.copyItem(atPath: built, toPath: path + "/plugin.so")
    }

    public func manifest(_ json: String) throws {
        try json.write(toFile: path + "/manifest.json", atomically: true, encoding: .utf8)
    }
}
