import Foundation
import Testing

/// What ARCHITECTURE.md says of services: a handler decodes and encodes, a service knows no wire.
@Suite("The wall between services and the wire") struct ServiceWallTests {
    private static let daemon = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../../Sources/Daemon").standardizedFileURL

    /// These still take and give messages. A file that no longer does is to go from the list.
    private static let withMessages: Set = [
        "Atlas/AtlasService.swift", "Atlas/AtlasService+Listening.swift", "Paths/PluginService+Paths.swift",
        "Plugins/PluginService.swift", "Plugins/PluginService+Validate.swift", "Plugins/PluginService+Workers.swift",
        "Recordings/RecordingsService.swift",
    ]

    /// Paths in the daemon's folder of what a wire's import would be wrong in: services, the engine, and what passes are made of.
    private static func files() throws -> [String] {
        let paths = try FileManager.default.subpathsOfDirectory(atPath: daemon.path)
        return paths.filter { path in
            let name = (path as NSString).lastPathComponent
            guard name.hasSuffix(".swift"), !name.contains("+Message") else { return false }
            return name.contains("Service") || name == "Engine.swift" || path.hasPrefix("Engine/")
        }
    }

    private static func importsWire(_ path: String) throws -> Bool {
        let text = try String(contentsOf: daemon.appendingPathComponent(path), encoding: .utf8)
        return text.split(separator: "\n").contains {
            ["import Messages", "import Wire", "import CProtos"].contains($0)
        }
    }

    @Test("no service imports messages but those that are known to")
    func imports() throws {
        let files = try Self.files()
        #expect(files.contains("Trace/TraceService.swift") && files.contains("Engine/WindowPass.swift"))
        #expect(Set(try files.filter(Self.importsWire)) == Self.withMessages)
    }
}
