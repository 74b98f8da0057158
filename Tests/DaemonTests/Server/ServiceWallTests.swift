import Foundation
import Testing

/// What ARCHITECTURE.md says of services: a handler decodes and encodes, a service knows no wire.
@Suite("The wall between services and the wire") struct ServiceWallTests {
    private static let daemon = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../../Sources/Daemon").standardizedFileURL

    /// The wire's side of the daemon, beside handlers and `…+Message(s).swift`: the server, paths in requests, and where tensors leave.
    private static let wireSide: Set = [
        "Observation/DaemonMetrics.swift", "Paths/CallerFolder.swift", "Paths/Requests+Paths.swift",
        "Server/AuscultServer.swift", "Server/WireError+Layers.swift", "Trace/SharedMemorySink.swift",
        "Trace/TensorStreamSink.swift",
    ]

    /// Paths in the daemon's folder of whatever decodes nothing and encodes nothing.
    private static func files() throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: daemon.path).filter { path in
            let name = (path as NSString).lastPathComponent
            return name.hasSuffix(".swift") && !name.contains("+Message") && !name.hasSuffix("Handler.swift")
        }
    }

    private static func importsWire(_ path: String) throws -> Bool {
        let text = try String(contentsOf: daemon.appendingPathComponent(path), encoding: .utf8)
        return text.split(separator: "\n").contains {
            ["import Messages", "import Wire", "import CProtos"].contains($0)
        }
    }

    @Test("nothing of the daemon imports messages but handlers, decoding, and the server")
    func imports() throws {
        let files = try Self.files()
        #expect(files.contains("Plugins/PluginService.swift") && files.contains("Engine/WindowPass.swift"))
        #expect(Set(try files.filter(Self.importsWire)) == Self.wireSide)
    }
}
